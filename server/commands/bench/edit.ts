import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import googleDocsModule from '#modules/google-docs/module.ts';
import { docText } from '#modules/google-docs/reducers/doc-text.ts';
import writingModule from '#modules/writing/module.ts';
import type { Archive } from '#server/archive/archive.ts';
import type { Draft } from '#server/archive/entry.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { buildRegistry } from '#server/registry.ts';
import { openFileStore } from '#server/state/file-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { commit, cutOf, writesOf } from '#server/stream/persist.ts';
import { planOf } from '#server/stream/plan.ts';
import { newCell, newStudent } from '#server/stream/student.ts';
import { memoryLog } from '#server/stream/testing.ts';
import { bodyOf, draftsOf, type Edit, editsAt, PLACES, type Place, wholeOf } from './edit-document.ts';

const SIZES = [1_000, 5_000, 50_000, 500_000] as const;

type Measure = (store: StateStore, size: number, edits: readonly Edit[]) => Promise<number>;
type Step = (state: unknown, event: unknown, emit: unknown) => unknown;

/**
 * What one edit costs, in processor time, in documents of different lengths (G4): the reducer of Google documents alone;
 * the way from the archive to the store with every reducer that listens, flushes included; and a flush of one edit into
 * the file store. Each figure is the worst over the places of the edits.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const parts = [
    ['reducer', reducer, 20_000],
    ['pipeline', pipeline, quick ? 8_000 : 20_000],
    ['persistence', persistence, quick ? 1_500 : 10_000],
  ] as const;
  for (const [name, measure, edits] of parts) {
    const ratios: number[] = [];
    for (const place of PLACES) ratios.push(await ratioAt(name, measure, place, edits, quick ? 3 : 5));
    console.log(`figure edit.${name}.500k-to-1k ${Math.max(...ratios).toFixed(2)} ×`);
  }
}

/** Sizes take turns within a round, so that a busy machine slows all of them; the first round warms up. */
async function ratioAt(
  name: string,
  measure: Measure,
  place: Place,
  edits: number,
  rounds: number,
): Promise<number> {
  const costs = new Map<number, number[]>(SIZES.map((size) => [size, []]));
  for (let round = 0; round <= rounds; round++)
    for (const size of SIZES) {
      const cost = await inStore((store) => measure(store, size, editsAt(place, size, edits)));
      if (round > 0) costs.get(size)?.push(cost / edits);
    }
  const median = SIZES.map((size) => medianOf(costs.get(size) ?? []));
  console.log(
    `${name} at ${place}: ${SIZES.map((size, i) => `${size} ${median[i]?.toFixed(2)} µs`).join(' · ')}`,
  );
  return (median[3] ?? 0) / (median[0] ?? 1);
}

async function inStore(work: (store: StateStore) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-edit-'));
  const store = await openFileStore({ folder, log: memoryLog() });
  try {
    return await work(store);
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** Processor time of the whole process, in µs. */
async function timed(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Every edit, one after the other, from the whole document on. */
function folding(size: number): (edit: Edit) => unknown {
  const step = docText.on.google_docs_save as Step;
  let at = 1_000;
  let state: unknown = docText.initial;
  const fold = (edit: Edit) => {
    at += 100;
    state = step(state, { ...bodyOf(edit), at, sentAt: at }, () => {});
    return state;
  };
  fold(wholeOf(size));
  return fold;
}

async function reducer(_store: StateStore, size: number, edits: readonly Edit[]): Promise<number> {
  const fold = folding(size);
  return timed(() => {
    for (const edit of edits) fold(edit);
  });
}

async function persistence(store: StateStore, size: number, edits: readonly Edit[]): Promise<number> {
  const plan = planOf([docText]);
  const student = newStudent('ada', plan);
  const [folded] = plan.all;
  if (!folded) throw new Error('no reducer');
  const cell = newCell(student, folded, 'd', 'doc-text.v1:student=ada:doc=d');
  await store.claim({ archive: 'bench', fence: 0, end: 0 });
  let checkpoint = -1;
  const flush = async (state: unknown) => {
    cell.state = state;
    cell.isDirty = true;
    student.dirty.push(cell);
    const { writes, commits } = writesOf(cutOf(student, plan));
    await store.flush({ fence: 0, base: checkpoint, checkpoint: ++checkpoint, writes: [writes] });
    commits.forEach(commit);
  };
  const fold = folding(size);
  await flush(fold({ ty: 'ds', si: 1, ei: 1 }));
  let spent = 0;
  for (let from = 0; from < edits.length; from += 500) {
    const states = edits.slice(from, from + 500).map(fold);
    spent += await timed(async () => {
      for (const state of states) await flush(state);
    });
  }
  return spent;
}

async function pipeline(store: StateStore, size: number, edits: readonly Edit[]): Promise<number> {
  const archive = openMemoryArchive();
  const registry = buildRegistry([googleDocsModule, writingModule]);
  const owner = openOwner({ archive, store, registry, log: memoryLog() });
  const [first, ...rest] = draftsOf([wholeOf(size), ...edits]);
  await append(archive, first ? [first] : []);
  await owner.caughtUp();
  await owner.flush();
  const spent = await timed(async () => {
    for (let from = 0; from < rest.length; from += 64) await append(archive, rest.slice(from, from + 64));
    await owner.caughtUp();
    await owner.flush();
  });
  await owner.close();
  return spent;
}

function append(archive: Archive, drafts: readonly Draft[]): Promise<void> {
  return new Promise((done) => archive.append(drafts, () => setImmediate(done)));
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
