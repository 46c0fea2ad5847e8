import { createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { io } from 'socket.io-client';
import { afterEach, expect, test } from 'vitest';
import type { Answer } from '#server/ingest/protocol.ts';
import { type Load, openLoad } from './ingest-load.ts';
import { batchOf, type Heard, heardFrom, producerOf, startServer, tokenOf, typing } from './soak-load.ts';
import type { FromServer } from './soak-server.ts';

const HONEST = 200;
const GREEDY = 9_999;
const FRAME_EVENTS = 10;
const FRAMES_PER_SECOND = 100;
/** Short rounds in turn, of which the best count: what else the machine does makes some worse, a slower server makes all worse. */
const ROUNDS = 12;
const ROUND_MS = 300;
/** Where the system has a disk in memory the archive is on it: the syncs of a shared disk, which everybody waits for, would hide the rest. */
const MEMORY = '/dev/shm';
/** Of the clock and of what else the machine does, in the 99th percentile of either side. */
const NOISE_MS = 5;

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** Sends 1,000 events a second whatever it is told, and goes back only as far as it has to. */
async function openGreedy(port: number, key: KeyObject) {
  const found = { sent: 0, upTo: 0, codes: new Set<string>(), slowDowns: 0 };
  const token = await tokenOf(key, GREEDY);
  const socket = io(`http://127.0.0.1:${port}/ingest`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token },
  });
  ends.push(() => socket.close());
  let next = 1;
  const ask = (message: object, hear: (answer: Answer) => void) =>
    socket.emit('m', JSON.stringify(message), hear);
  const hear = (answer: Answer) => {
    if (answer.type === 'stored') {
      found.upTo = Math.max(found.upTo, answer.upTo);
      if (answer.slowDownMs) found.slowDowns += 1;
    } else if (answer.type === 'refused') {
      found.codes.add(answer.code);
      next = Math.min(next, answer.expected ?? answer.from ?? next);
    }
  };
  const hello = { v: 1, type: 'hello', producer: producerOf(GREEDY), epoch: 1, oldest: 1, now: Date.now() };
  await new Promise<Answer>((done, fail) => {
    socket.on('connect', () => ask(hello, done));
    socket.on('connect_error', fail);
  });
  const burst = async (ms: number) => {
    const since = performance.now();
    for (let frames = 0; performance.now() - since < ms; ) {
      const due = ((performance.now() - since) / 1000) * FRAMES_PER_SECOND;
      for (; frames < due; frames++) {
        ask(batchOf(GREEDY, next, FRAME_EVENTS), hear);
        next += FRAME_EVENTS;
        found.sent += FRAME_EVENTS;
      }
      await new Promise((done) => setTimeout(done, 2));
    }
  };
  return { found, burst };
}

const p99 = (waits: readonly number[]) =>
  waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? Number.NaN;

async function openHonest(port: number, key: KeyObject, heard: Heard): Promise<Load> {
  const load = await openLoad(port, await typing(key, HONEST, heard), HONEST);
  ends.push(() => load.close());
  await load.pace(2 * HONEST, 1_500);
  return load;
}

test('one student who sends 1,000 events a second slows nobody, is told to slow down and loses nothing', async () => {
  const child = startServer(0, 'without-database', existsSync(MEMORY) ? MEMORY : tmpdir());
  ends.push(() => child.disconnect());
  const started = (await heardFrom(child)) as Extract<FromServer, { readonly port: number }>;
  const key = createPrivateKey(started.key);
  const heard: Heard = { sent: 0, stored: 0, other: 0, rows: 0 };
  const honest = await openHonest(started.port, key, heard);
  const greedy = await openGreedy(started.port, key);
  const alone: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(p99(await honest.pace(2 * HONEST, ROUND_MS)));
    const [waits] = await Promise.all([honest.pace(2 * HONEST, ROUND_MS), greedy.burst(ROUND_MS)]);
    beside.push(p99(waits));
  }
  child.send('end');
  const { seqs, faults, difference } = (await heardFrom(child)) as Extract<
    FromServer,
    { readonly faults: number }
  >;
  const stored = new Map(seqs);
  const best = { alone: Math.min(...alone), beside: Math.min(...beside) };
  console.log(
    `figure greedy.others.p99 ${(best.beside / best.alone).toFixed(2)} of-${best.alone.toFixed(1)}-ms`,
  );

  expect(greedy.found.sent).toBeGreaterThan(
    0.9 * ROUNDS * (ROUND_MS / 1000) * FRAMES_PER_SECOND * FRAME_EVENTS,
  );
  expect(best.beside).toBeLessThanOrEqual(1.2 * best.alone + NOISE_MS);
  expect(greedy.found.slowDowns).toBeGreaterThan(0);
  expect([...greedy.found.codes]).toContain('rate-limited');
  expect(greedy.found.upTo).toBeGreaterThanOrEqual(400);
  expect(stored.get(producerOf(GREEDY))).toBeGreaterThanOrEqual(greedy.found.upTo);
  expect(stored.get(producerOf(GREEDY))).toBeLessThan(1_500);
  expect(heard).toMatchObject({ other: 0, stored: heard.sent });
  expect({ faults, difference }).toEqual({ faults: 0, difference: 0 });
});
