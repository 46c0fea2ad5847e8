import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '#server/log.ts';
import { openFileStore } from '#server/state/file-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import type { ReadArchive } from './archive-reader.ts';
import { canonicalJson, type Expected, foldEntries, NOT_FOLDED_HERE } from './fold.ts';

/** `p` position of the last change, `s` the state, `h` a halt. */
type Stored = { readonly p: string; readonly s: unknown; readonly h?: unknown };

export const SILENT: Log = { info() {}, warn() {}, error() {} };

/**
 * Every stored state that is not the fold of the archive up to the stored checkpoint, as a sentence. `store` must be claimed, or
 * belong to nobody. No process may write to it meanwhile.
 */
export async function compareStates(
  store: StateStore,
  archive: ReadArchive,
): Promise<{ readonly checkpoint: number; readonly compared: number; readonly wrong: string[] }> {
  const { checkpoint } = await store.load('');
  const end = archive.entries.length;
  if (checkpoint >= end)
    return {
      checkpoint,
      compared: 0,
      wrong: [`the states reflect ${checkpoint}, the archive ends at ${end}`],
    };
  const expected = foldEntries(archive.entries, checkpoint);
  const students = new Set(archive.entries.flatMap(({ s }) => s ?? []));
  for await (const student of store.students()) students.add(student);
  const wrong: string[] = [];
  let compared = 0;
  for (const student of students) {
    const { checkpoint: at, fields } = await store.load(student);
    if (at !== checkpoint) wrong.push(`the checkpoint went from ${checkpoint} to ${at} while it was read`);
    for (const [key, text] of fields) {
      if (!key.startsWith('proof-') || key.startsWith(NOT_FOLDED_HERE)) continue;
      compared += 1;
      const why = difference(JSON.parse(text) as Stored, expected.get(key));
      if (why) wrong.push(`${key} at ${checkpoint}: ${why}`);
      expected.delete(key);
    }
  }
  for (const key of expected.keys()) wrong.push(`${key} at ${checkpoint}: is not in the store`);
  return { checkpoint, compared, wrong };
}

function difference(stored: Stored, expected: Expected | undefined): string | undefined {
  if (!expected) return 'the archive gives no such state';
  if (stored.h !== undefined) return 'it is halted';
  if (canonicalJson(stored.s) !== canonicalJson(expected.state))
    return `is ${shown(stored.s)}, the fold gives ${shown(expected.state)}`;
  return stored.p === expected.position ? undefined : `is of ${stored.p}, not of ${expected.position}`;
}

function shown(state: unknown): string {
  const text = canonicalJson(state);
  return text.length <= 80 ? text : `${text.slice(0, 30)}…${text.slice(-40)}`;
}

/** As `compareStates`, for the files of a process that has ended; works on a copy, so that nothing is mended on the way. */
export async function compareStateFiles(varDir: string, archive: ReadArchive) {
  const folder = await mkdtemp(join(tmpdir(), 'proof-states-'));
  try {
    await cp(join(varDir, 'states'), folder, { recursive: true });
    const store = await openFileStore({ folder, log: SILENT });
    const found = await compareStates(store, archive);
    await store.close();
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
}
