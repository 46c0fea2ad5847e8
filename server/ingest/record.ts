import { randomBytes } from 'node:crypto';
import { builtInSources, type EventSource } from '#modules/kit/index.ts';
import type { Archive } from '#server/archive/archive.ts';
import type { Clock } from './core.ts';

/** An event that the server makes itself, of a built-in source. */
export type ServerEvent = {
  readonly student: string;
  readonly source: string;
  readonly event: string;
  readonly body: Readonly<Record<string, unknown>>;
};

export type Recorder = {
  /**
   * Archives the event like any other. Kept and tried again while the archive refuses; `done` is called once it is durable.
   * Throws where the body does not fit the source's schema.
   */
  record(event: ServerEvent, done?: () => void): void;
  /** After a crash: says of connections that the archive still shows as open that they ended. */
  recordMissing(open: Iterable<{ readonly student: string; readonly connection: string }>): void;
  /** Stops trying again. */
  close(): void;
};

const RETRY_MS = 1_000;
const MOST_WAITING = 10_000;

type Waiting = {
  readonly event: ServerEvent;
  readonly body: Record<string, unknown>;
  readonly done: (() => void) | undefined;
};

/**
 * Presence, and what teachers do. The producer is made anew at each start, so its seqs are never used twice; its `~`
 * tells the archive that no client will ever send it again.
 */
export function openRecorder(options: { readonly archive: Archive; readonly clock: Clock }): Recorder {
  const { archive, clock } = options;
  const producer = `~${randomBytes(16).toString('base64url')}`;
  const sources = new Map<string, EventSource>(builtInSources.map((source) => [source.name, source]));
  const waiting: Waiting[] = [];
  let seq = 0;
  let timer: NodeJS.Timeout | undefined;

  function append(one: Waiting): void {
    seq += 1;
    const { student, source, event } = one.event;
    const draft = {
      k: 'batch' as const,
      t: clock.now(),
      s: student,
      p: producer,
      e: 1,
      f: seq,
      src: source,
      ev: [{ event, body: one.body }],
    };
    archive.append([draft], (refused) => {
      if (refused === null) one.done?.();
      else if (waiting.length < MOST_WAITING) keep(one);
    });
  }

  function keep(one: Waiting): void {
    waiting.push(one);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const again of waiting.splice(0)) append(again);
    }, RETRY_MS).unref();
  }

  function record(event: ServerEvent, done?: () => void): void {
    const schema = sources.get(event.source)?.events[event.event];
    if (!schema) throw new Error(`unknown event: ${event.source}/${event.event}`);
    append({ event, body: schema.parse(event.body), done });
  }

  return {
    record,
    recordMissing(open) {
      for (const { student, connection } of open) {
        const body = { connection, reason: 'the server stopped without warning' };
        record({ student, source: 'connection', event: 'disconnected', body });
      }
    },
    close: () => clearTimeout(timer),
  };
}
