import type { Notices } from './notices.ts';

/** Notices within one process. Listeners hear later than the publisher's next line, as they do over a network. */
export function openMemoryNotices(): Notices {
  const topics = new Map<string, Set<(message: string) => void>>();
  return {
    publish(topic, message) {
      for (const listener of topics.get(topic) ?? [])
        queueMicrotask(() => {
          if (topics.get(topic)?.has(listener)) listener(message);
        });
    },
    subscribe(topic, listener) {
      const own = (message: string) => listener(message);
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(own));
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) topics.delete(topic);
      };
    },
    async close() {
      topics.clear();
    },
  };
}
