import { useCallback, useSyncExternalStore } from 'react';

const KEY = 'lo-single-keys';
const CHANGED = 'lo-single-keys';

function listen(onChange: () => void): () => void {
  addEventListener(CHANGED, onChange);
  return () => removeEventListener(CHANGED, onChange);
}

/** Whether single-letter keys act; this browser remembers it. */
export function useLetters(): [boolean, (on: boolean) => void] {
  const letters = useSyncExternalStore(
    listen,
    () => localStorage.getItem(KEY) !== 'off',
    () => true,
  );
  const set = useCallback((on: boolean) => {
    localStorage.setItem(KEY, on ? 'on' : 'off');
    dispatchEvent(new Event(CHANGED));
  }, []);
  return [letters, set];
}
