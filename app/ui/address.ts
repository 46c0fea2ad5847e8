'use client';
import { useCallback, useSyncExternalStore } from 'react';

const CHANGED = 'lo-address';

function listen(onChange: () => void): () => void {
  addEventListener('popstate', onChange);
  addEventListener(CHANGED, onChange);
  return () => {
    removeEventListener('popstate', onChange);
    removeEventListener(CHANGED, onChange);
  };
}

/**
 * One value that lives in the address bar, so that a reload or a second window shows the same. Null while it is not
 * there; setting null removes it. Changes replace the entry of the history instead of adding one.
 */
export function useAddress(name: string): [string | null, (value: string | null) => void] {
  const search = useSyncExternalStore(
    listen,
    () => location.search,
    () => '',
  );
  const set = useCallback(
    (value: string | null) => {
      const url = new URL(location.href);
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
      history.replaceState(history.state, '', url);
      dispatchEvent(new Event(CHANGED));
    },
    [name],
  );
  return [new URLSearchParams(search).get(name), set];
}
