'use client';
import { useMemo, useSyncExternalStore } from 'react';
import type { Subscribe } from '#server/live/protocol.ts';
import { type FeedStore, tabConnection } from './connection.ts';
import { type Feed, NOTHING_YET } from './feed.ts';

/** What the server says of one subscription, kept fresh. Equal requests share one channel, whichever component asks. */
export function useRows(request: Subscribe): Feed {
  const key = JSON.stringify(request);
  const store = useMemo(() => feedOf(key), [key]);
  return useSyncExternalStore(store.subscribe, store.get, nothingYet);
}

const NOWHERE: FeedStore = { get: nothingYet, subscribe: () => () => {} };

function feedOf(key: string): FeedStore {
  return typeof window === 'undefined' ? NOWHERE : tabConnection().feed(JSON.parse(key) as Subscribe);
}

function nothingYet(): Feed {
  return NOTHING_YET;
}
