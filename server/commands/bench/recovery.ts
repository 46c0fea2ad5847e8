import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  defineEventSource,
  defineReducer,
  keyField,
  type Reducer,
  scope,
  student,
} from '#modules/kit/index.ts';
import type { Archive } from '#server/archive/archive.ts';
import type { Draft } from '#server/archive/entry.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { memoryLog, registryOf } from '#server/stream/testing.ts';

const STUDENTS = 500;
const EVENTS_AN_ENTRY = 4;
const ROUNDS = 3;

const source = defineEventSource({
  name: 'bench',
  events: {
    save: z.object({ doc: z.string(), rev: z.number(), url: z.string(), commands: z.array(z.json()) }),
  },
});
type Save = {
  readonly doc: string;
  readonly rev: number;
  readonly at: number;
  readonly commands: readonly unknown[];
};
const doc = keyField('doc', (event: { doc: string }) => event.doc);

/** The five reducers of G1: what a small module keeps of a save, about a student and about a document. */
const reducers: readonly Reducer[] = [
  fold('saves', { n: 0 }, (state) => ({ n: state.n + 1 })),
  fold('last-save', { doc: '', at: 0 }, (_state, event) => ({ doc: event.doc, at: event.at })),
  fold('commands', { n: 0, last: 0 }, (state, event) => ({
    n: state.n + event.commands.length,
    last: event.rev,
  })),
  fold('days', [] as readonly number[], (state, event) => {
    const day = Math.floor(event.at / 86_400_000);
    return state.at(-1) === day ? state : [...state, day];
  }),
  defineReducer({
    name: 'document',
    source,
    scope: scope(student, doc),
    initial: { revs: 0, firstAt: 0, lastAt: 0 },
    on: {
      save: (state, event) => ({
        revs: state.revs + 1,
        firstAt: state.firstAt || event.at,
        lastAt: event.at,
      }),
    },
  }),
];

function fold<State>(name: string, initial: State, save: (state: State, event: Save) => State): Reducer {
  return defineReducer({ name, source, scope: scope(student), initial, on: { save } }) as Reducer;
}

/** How long a start without states takes: all that the archive holds folded again into an empty store (G7). */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const events = quick ? 200_000 : 1_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'bench-recovery-'));
  try {
    await fill(folder, events);
    const archive = await openArchive(folder);
    const seconds: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const took = await recover(archive, join(folder, `states-${round}`));
      if (round > 0) seconds.push((took * 1_000_000) / events);
    }
    await archive.close();
    const median = seconds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
    console.log(`figure recovery.seconds-per-million ${median.toFixed(2)} s`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function openArchive(folder: string): Promise<Archive> {
  const directory = join(folder, 'archive');
  const onFatal = (cause: unknown) => {
    throw cause;
  };
  return openFileArchive({
    directory,
    software: 'bench',
    clock: Date.now,
    onFatal,
    limits: { minFreeBytes: 0 },
  });
}

async function fill(folder: string, events: number): Promise<void> {
  const archive = await openArchive(folder);
  const perStudent = new Uint32Array(STUDENTS);
  for (let done = 0; done < events; done += 1_024 * EVENTS_AN_ENTRY) {
    const drafts = Array.from({ length: Math.min(1_024, (events - done) / EVENTS_AN_ENTRY) }, (_, i) => {
      const who = (done / EVENTS_AN_ENTRY + i) % STUDENTS;
      const first = perStudent[who] ?? 0;
      perStudent[who] = first + EVENTS_AN_ENTRY;
      return draftOf(who, first + 1);
    });
    await new Promise<void>((stored, failed) =>
      archive.append(drafts, (refused) => (refused ? failed(new Error(refused)) : stored())),
    );
  }
  await archive.seal();
  await archive.close();
}

function draftOf(who: number, first: number): Draft {
  const ev = Array.from({ length: EVENTS_AN_ENTRY }, (_, i) => ({
    event: 'save',
    sentAt: 1_700_000_000_000 + first + i,
    tick: first + i,
    body: {
      doc: `1AbCdEfGhIjKlMnOpQrStUvWxYz-${who}-${first % 3}`,
      rev: first + i,
      url: `https://docs.google.com/document/d/1AbCdEfGhIjKlMnOpQrStUvWxYz-${who}/edit`,
      commands: [
        { ty: 'is', ibi: first + i, s: 'e' },
        { ty: 'as', sm: {}, st: 'text' },
      ],
    },
  }));
  const s = `st_${String(who).padStart(22, '0')}`;
  return { k: 'batch', t: 1_700_000_000_000 + first, s, p: s, e: 1, f: first, src: 'bench', off: 0, ev };
}

async function recover(archive: Archive, folder: string): Promise<number> {
  const log = memoryLog();
  const store = await openFileStore({ folder, log });
  const from = performance.now();
  const used = process.cpuUsage();
  const owner = openOwner({ archive, store, registry: registryOf(reducers), log });
  await owner.caughtUp();
  await owner.flush();
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(used);
  console.log(`folded in ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of processor time`);
  const [wrong] = log.facts;
  if (wrong) throw new Error(wrong.fact);
  await owner.close();
  await store.close();
  return seconds;
}
