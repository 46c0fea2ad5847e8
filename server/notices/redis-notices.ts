import { Redis } from 'ioredis';
import type { Notices } from './notices.ts';

/** Notices by Redis pub/sub. `prefix` keeps servers on one Redis apart. What is published while Redis is away is lost. */
export function openRedisNotices(options: { readonly url: string; readonly prefix: string }): Notices {
  const { url, prefix } = options;
  const retryStrategy = (tries: number) => Math.min(tries * 100, 2_000);
  const publisher = new Redis(url, { enableOfflineQueue: false, retryStrategy });
  const subscriber = new Redis(url, { autoResubscribe: true, maxRetriesPerRequest: null, retryStrategy });
  for (const redis of [publisher, subscriber]) redis.on('error', () => {}); // They connect again by themselves.
  const topics = new Map<string, Set<(message: string) => void>>();
  subscriber.on('message', (channel: string, message: string) => {
    for (const listener of topics.get(channel) ?? []) listener(message);
  });
  return {
    publish(topic, message) {
      publisher.publish(`${prefix}:${topic}`, message).catch(() => {});
    },
    subscribe(topic, listener) {
      const channel = `${prefix}:${topic}`;
      const own = (message: string) => listener(message);
      let listeners = topics.get(channel);
      if (!listeners) {
        listeners = new Set();
        topics.set(channel, listeners);
        subscriber.subscribe(channel).catch(() => {});
      }
      listeners.add(own);
      return () => {
        if (!listeners.delete(own) || listeners.size > 0) return;
        topics.delete(channel);
        subscriber.unsubscribe(channel).catch(() => {});
      };
    },
    async close() {
      topics.clear();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
