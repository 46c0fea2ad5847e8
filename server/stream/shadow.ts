import type { Reducer } from '#modules/kit/index.ts';
import type { Archive } from '#server/archive/archive.ts';
import type { StateStore } from '#server/state/state-store.ts';
import type { Folding } from './apply.ts';
import { turn } from './core.ts';
import { studentFrom } from './persist.ts';
import { planOf } from './plan.ts';
import { differing, foldAgain, pictureOf } from './rebuild.ts';

export type Compared = { readonly compared: number; readonly differing: readonly string[] };

/**
 * Folds the archive once more, beside the store, up to the store's checkpoint, and compares state by state: canonical
 * JSON, position and halt. States that the running build lacks count as differing. Students and reducers: all, or those named.
 */
export async function compareStored(options: {
  readonly archive: Archive;
  readonly store: StateStore;
  readonly reducers: readonly Reducer[];
  readonly student?: string;
  readonly reducer?: string;
}): Promise<Compared> {
  const { archive, store, reducers, student, reducer } = options;
  const plan = planOf(reducers);
  const folding: Folding = { plan, onStep: () => {}, isStuck: () => false, onHalt: () => {} };
  const some = plan.all.filter((one) => reducer === undefined || one.reducer.name === reducer);
  let compared = 0;
  const wrong: string[] = [];
  for (const id of student === undefined ? await studentsOf(archive, store) : [student]) {
    const loaded = await store.load(id);
    const to = loaded.checkpoint + 1;
    const live = pictureOf(studentFrom(id, loaded, plan));
    const again = pictureOf(await foldAgain({ archive, folding, student: id, some, to, pause: turn }));
    const isAsked = (key: string) => some.some((one) => key.startsWith(`${one.name}:`));
    const keys = new Set([...live.keys(), ...again.keys()].filter(isAsked));
    compared += keys.size;
    wrong.push(...differing(live, again).filter(isAsked));
  }
  return { compared, differing: wrong };
}

/** Everyone of whom there is an event or a state. */
export async function studentsOf(archive: Archive, store: StateStore): Promise<readonly string[]> {
  const students = new Set<string>();
  for await (const student of store.students()) if (student !== '') students.add(student);
  for await (const entries of archive.read(0))
    for (const { s, k } of entries) if (s !== undefined && k === 'batch') students.add(s);
  return [...students].sort((a, b) => (a < b ? -1 : 1));
}
