import { createHash } from 'node:crypto';
import type { ReadEntry } from './archive-reader.ts';

/** A state as it has to be: its JSON, and the position of the last event that changed it. */
export type Expected = { readonly state: unknown; readonly position: string };

/** `proof-story` is a text in pieces: its fold is compared by the server's own shadow rebuild. */
export const NOT_FOLDED_HERE = 'proof-story.';

/**
 * The states of the proof's reducers after the entries up to `checkpoint`, by state key. Written here once more, from what the
 * reducers promise, so that an error of the engine cannot hide in both sides of a comparison.
 */
export function foldEntries(entries: readonly ReadEntry[], checkpoint: number): Map<string, Expected> {
  const states = new Map<string, Expected>();
  const stateOf = <T>(key: string, initial: T) => (states.get(key)?.state as T | undefined) ?? initial;
  for (const entry of entries) {
    if (entry.o > checkpoint) break;
    if (entry.k !== 'batch' || entry.src !== 'proof') continue;
    entry.ev?.forEach(({ event, body }, i) => {
      if (event !== 'mark' && event !== 'ripple') return;
      const position = `0:${entry.o}:${i}`;
      const id = `${entry.p}:${entry.e}:${(entry.f ?? 0) + i}`;
      const student = `student=${encodeURIComponent(entry.s ?? '')}`;
      const doc = `${student}:doc=${encodeURIComponent(String(body.doc))}`;
      const put = (key: string, state: unknown) => states.set(key, { state, position });
      const countKey = `proof-count.v1:${student}`;
      put(countKey, { n: stateOf(countKey, { n: 0 }).n + 1 });
      const idsKey = `proof-ids.v1:${doc}`;
      put(idsKey, [...stateOf<string[]>(idsKey, []), id]);
      const hashKey = `proof-hash.v1:${student}`;
      put(hashKey, sha256(`${stateOf(hashKey, '')}\n${id}`));
      if (event !== 'ripple') return;
      const rippleKey = `proof-ripple.v1:${student}`;
      const { n } = stateOf(rippleKey, { n: 0 });
      put(rippleKey, { n: n + 1 });
      const echoedKey = `proof-echoed.v1:${doc}`;
      const heard = [n, n + 0.5].map((said, nth) => `${said} ${echoId(id, nth + 1)}`);
      put(echoedKey, [...stateOf<string[]>(echoedKey, []), ...heard]);
    });
  }
  return states;
}

/** Ids of emitted events come from their parent's (usage-pipeline.md §2.3). */
function echoId(parent: string, nth: number): string {
  return sha256(`${parent}\nproof-ripple\necho\n${nth}\n`).slice(0, 32);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with the properties of every object in order of name. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join()}}`;
}
