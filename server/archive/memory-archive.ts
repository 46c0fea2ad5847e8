import { randomBytes } from 'node:crypto';
import type { RefusedCode } from '#server/errors.ts';
import type { AppendDone, Archive, ProducerRow } from './archive.ts';
import type { Draft, Entry } from './entry.ts';
import { SLICE_ENTRIES } from './slices.ts';

export type MemoryArchiveOptions = {
  readonly id?: string;
  /** What the archive held of producers when it was opened. */
  readonly producers?: readonly ProducerRow[];
  /** While it gives a code, appends are refused with it. */
  readonly refuse?: () => RefusedCode | null;
};

type Waiting = { readonly drafts: readonly Draft[]; readonly done: AppendDone };

/**
 * The archive in memory, for tests and for programs that keep nothing. Appends become "durable" in the next microtask,
 * as one group, so that callers meet the order of the real one.
 */
export function openMemoryArchive(options: MemoryArchiveOptions = {}): Archive {
  const entries: Entry[] = [];
  const listeners = new Set<(entries: readonly Entry[]) => void>();
  let waiting: Waiting[] = [];
  let lastAt = 0;
  let isClosed = false;

  const refusing = () => (isClosed ? 'not-ready' : (options.refuse?.() ?? null));
  const take = (draft: Draft): Entry => {
    lastAt = Math.max(lastAt, draft.t);
    return Object.assign(draft, { o: entries.length, t: lastAt });
  };
  const commit = () => {
    const group = waiting;
    waiting = [];
    const written: Entry[] = [];
    const firsts = group.map(({ drafts }) => {
      const first = entries.length;
      for (const draft of drafts) {
        written.push(take(draft));
        // What is read later is what was written now, whatever becomes of the draft.
        entries.push({ ...draft, o: entries.length });
      }
      return first;
    });
    for (const [i, { done }] of group.entries()) done(null, firsts[i] ?? 0);
    for (const listener of listeners) listener(written);
  };
  async function* read(from: number, to = entries.length) {
    for (let at = from; at < to; at += SLICE_ENTRIES)
      yield entries.slice(at, Math.min(to, at + SLICE_ENTRIES));
  }
  async function* readStudent(student: string, to = entries.length) {
    const found = entries.slice(0, to).filter((entry) => entry.s === student);
    for (let at = 0; at < found.length; at += SLICE_ENTRIES) yield found.slice(at, at + SLICE_ENTRIES);
  }

  return {
    id: options.id ?? randomBytes(16).toString('hex'),
    fence: 0,
    append(drafts, done) {
      const refused = refusing();
      if (refused) return done(refused, -1);
      if (waiting.push({ drafts, done }) === 1) queueMicrotask(commit);
    },
    pressure: () => 0,
    refusing,
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: () => entries.length,
    read: (from, to) => read(from, to),
    readStudent: (student, to) => readStudent(student, to),
    producers: () => options.producers ?? [],
    seal: async () => {},
    async close() {
      await Promise.resolve();
      isClosed = true;
    },
  };
}
