'use client';
import { useSyncExternalStore } from 'react';
import { type Feed, serverNow } from './feed.ts';

const TICK_MS = 1000;
const listeners = new Set<() => void>();
let tick = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for the tab, while somebody looks at it. */
function listen(onTick: () => void): () => void {
  if (listeners.size === 0) {
    tick = Date.now();
    timer = setInterval(advance, TICK_MS);
  }
  listeners.add(onTick);
  return () => {
    listeners.delete(onTick);
    if (listeners.size === 0) clearInterval(timer);
  };
}

function advance(): void {
  tick = Date.now();
  for (const listener of listeners) listener();
}

/** The server's clock, ms, once a second; stands still while the feed is not live. */
export function useNow(feed: Feed): number {
  const here = useSyncExternalStore(
    listen,
    () => tick,
    () => 0,
  );
  return serverNow(feed, here);
}
