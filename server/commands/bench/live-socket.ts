import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket as NetSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '#server/archive/archive.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { archiveAudit } from '#server/audit.ts';
import type { Delta, Opened } from '#server/live/protocol.ts';
import { addClass, type Client, openBench, silent } from '#server/live/school.bench.ts';
import { loadModules } from '#server/modules.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import { openOwner } from '#server/stream/owner.ts';

const STUDENTS = Array.from({ length: 30 }, (_, i) => `st_${String(i).padStart(22, '0')}`);
const EVERY_MS = 500;
/** Spreads the pupils over the half second without a comb. */
const GOLDEN = 0.618034;
const WARM_UP_MS = 1000;
const PIECE = 50_000;
const SENTENCE = 'The rain had stopped before anybody noticed, and the street was quiet again. ';

export type SocketFigures = { readonly latencies: readonly number[]; readonly bytesPerSecond: number };

/** From an event on its way into the archive, synced to disk, to its row in the teacher's socket; and that socket's bytes. */
export async function measureSocket(options: {
  readonly characters: number;
  readonly seconds: number;
}): Promise<SocketFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-live-'));
  const clock = Date.now;
  const archive = await openFileArchive({ directory, software: 'bench', clock, onFatal: fail });
  const registry = await loadModules();
  const owner = openOwner({ archive, store: openMemoryStore(), registry, log: silent, clock });
  const bench = await openBench([], {
    registry,
    states: owner.states,
    audit: archiveAudit(archive, clock),
  });
  try {
    addClass(bench.school, 'c1', ['tess'], STUDENTS);
    const pupils = STUDENTS.map((student) => openPupil(archive, student));
    for (const pupil of pupils) await pupil.begin(options.characters);
    await owner.caughtUp();
    const teacher = bench.connect('tess');
    await open(teacher);
    return await typeAndListen(teacher, pupils, options.seconds * 1000);
  } finally {
    await bench.close();
    await owner.close();
    await archive.close();
    await rm(directory, { recursive: true });
  }
}

function open(teacher: Client): Promise<Opened> {
  const request = { classroom: 'c1', module: 'writing', query: 'class-dashboard' };
  return new Promise((resolve, reject) =>
    teacher.emit('subscribe', request, (answer) =>
      answer.ok ? resolve(answer) : reject(new Error(answer.message)),
    ),
  );
}

async function typeAndListen(teacher: Client, pupils: readonly Pupil[], ms: number): Promise<SocketFigures> {
  const latencies: number[] = [];
  const sent = new Map<string, number>();
  teacher.on('rows', ({ set = {} }: Delta) => {
    for (const student of Object.keys(set)) {
      const at = sent.get(student);
      if (at !== undefined) latencies.push(performance.now() - at);
      sent.delete(student);
    }
  });
  const type = (pupil: Pupil) => {
    sent.set(pupil.student, sent.get(pupil.student) ?? performance.now());
    void pupil.type();
  };
  const timers = pupils.map((pupil, i) =>
    setTimeout(() => timers.push(setInterval(type, EVERY_MS, pupil)), (i * GOLDEN * EVERY_MS) % EVERY_MS),
  );
  await sleep(WARM_UP_MS);
  latencies.length = 0;
  const before = bytesRead(teacher);
  const began = performance.now();
  await sleep(ms);
  const bytesPerSecond = (bytesRead(teacher) - before) / ((performance.now() - began) / 1000);
  for (const timer of timers) clearInterval(timer);
  if (latencies.length < (pupils.length * ms) / EVERY_MS / 2) throw new Error('too few rows came');
  return { latencies, bytesPerSecond };
}

type Pupil = ReturnType<typeof openPupil>;

function openPupil(archive: Archive, student: string) {
  let seq = 0;
  let length = 0;
  const append = (event: string, body: Readonly<Record<string, unknown>>) => {
    seq += 1;
    const t = Date.now();
    const envelope = {
      k: 'batch',
      t,
      s: student,
      p: `p-${student}`,
      e: 1,
      f: seq,
      src: 'writing-pad',
    } as const;
    const ev = [{ event, sentAt: t, body: { doc: 'd1', ...body } }];
    return new Promise<void>((resolve, reject) =>
      archive.append([{ ...envelope, ev, h: 'AAAAAAAAAAAAAAAAAAAAAA==' }], (refused) =>
        refused === null ? resolve() : reject(new Error(refused)),
      ),
    );
  };
  const put = (text: string) => {
    const at = length;
    length += text.length;
    return append('edited', { changes: [[at, 0, text]], length });
  };
  return {
    student,
    async begin(characters: number) {
      await append('opened', { title: 'A street in the rain' });
      const text = SENTENCE.repeat(Math.ceil(characters / SENTENCE.length)).slice(0, characters);
      for (let at = 0; at < characters; at += PIECE) await put(text.slice(at, at + PIECE));
    },
    type: () => put(SENTENCE[length % SENTENCE.length] ?? ' '),
  };
}

/** Of the TCP connection: frames, headers and answers included. */
function bytesRead(client: Client): number {
  const transport = client.io.engine.transport as unknown as { readonly ws: { readonly _socket: NetSocket } };
  return transport.ws._socket.bytesRead;
}

function fail(error: unknown): never {
  throw error;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
