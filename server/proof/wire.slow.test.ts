import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import type { Answer, Sent, Stored } from '#server/ingest/protocol.ts';
import { filesOnDisk, type ReadEntry, readArchive } from './archive-reader.ts';
import { newKey, openLoad } from './load.ts';
import { checkArchive } from './oracle.ts';
import { type ProofChild, startProofChild } from './proof-child.ts';
import type { ProcessSettings } from './proof-process.ts';
import { compareStateFiles } from './stored-states.ts';

const DAY_MS = 86_400_000;
const PRODUCER = 'AAAAAAAAAAAAAAAAAAAAAA';
/** As many hashes as the server keeps of a producer: older ones are taken for duplicates unseen (delivery.md §7). */
const RING = 256;
const EVENTS = 10_048;
const FRAME = 64;

const key = newKey();
let settings: ProcessSettings;
let child: ProofChild;
let sockets: Socket[] = [];

beforeEach(async () => {
  const varDir = await mkdtemp(join(tmpdir(), 'proof-wire-'));
  const pem = String(key.export({ type: 'pkcs8', format: 'pem' }));
  settings = { varDir, port: 0, key: pem, sealBytes: 256 * 1024 };
  child = await startProofChild(settings);
});
afterEach(async () => {
  for (const socket of sockets) socket.close();
  sockets = [];
  await child.end('SIGKILL');
  await rm(settings.varDir, { recursive: true });
});

async function connect(): Promise<Socket> {
  const subject = { person: 'ada', school: 'proof', installation: 'ada' };
  const { token } = await signIngestToken(key, subject, Date.now());
  const socket = io(`http://127.0.0.1:${child.port}/ingest`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token },
  });
  sockets.push(socket);
  await new Promise<void>((done, fail) => socket.once('connect', done).once('connect_error', fail));
  return socket;
}

function ask(socket: Socket, message: object): Promise<Answer> {
  return new Promise((done) => socket.emit('m', JSON.stringify({ v: 1, ...message }), done));
}

const hello = (socket: Socket, oldest: number) =>
  ask(socket, { type: 'hello', producer: PRODUCER, epoch: 1, oldest, now: Date.now() });

const send = (socket: Socket, from: number, events: readonly Sent[]) =>
  ask(socket, { type: 'events', producer: PRODUCER, epoch: 1, from, source: 'proof', events });

const eventOf = (n: number, sentAt: number, text = 'x'): Sent => ({
  event: 'mark',
  sentAt,
  body: { doc: `d${n >> 6}`, n, text },
});

/** Sends seqs 1 to EVENTS in frames that fill the window; gives what was answered. */
async function sendAll(socket: Socket, events: readonly Sent[]): Promise<Stored[]> {
  const all: Answer[] = [];
  for (let at = 0; at < events.length; at += FRAME)
    all.push(await send(socket, at + 1, events.slice(at, at + FRAME)));
  expect(all.filter((answer) => answer.type !== 'stored')).toEqual([]);
  return all as Stored[];
}

function ofAda(): ReadEntry[] {
  const { entries } = readArchive(filesOnDisk(join(settings.varDir, 'archive')));
  return entries.filter(({ p }) => p === PRODUCER);
}

const eventsIn = (entries: readonly ReadEntry[]) =>
  entries.reduce((sum, { ev }) => sum + (ev?.length ?? 0), 0);

test(`of ${EVENTS} events sent again after a kill none is stored again, and none with another body replaces one`, async () => {
  const sentAt = Date.now();
  const events = Array.from({ length: EVENTS }, (_, i) => eventOf(i + 1, sentAt));
  const socket = await connect();
  expect(await hello(socket, 1)).toMatchObject({ type: 'welcome', next: 1 });
  await sendAll(socket, events);
  await child.end('SIGKILL');
  expect(eventsIn(ofAda())).toBe(EVENTS);

  child = await startProofChild(settings);
  const again = await connect();
  expect(await hello(again, 1)).toMatchObject({ type: 'welcome', next: EVENTS + 1 });
  const answers = await sendAll(again, events);
  expect(answers.flatMap(({ bad }) => bad)).toEqual([]);
  const counts = (await child.ask('quiet')).counts.edges.socket;
  expect(counts).toMatchObject({ received: EVENTS, duplicate: EVENTS, stored: 0, bad: 0 });

  const others = Array.from({ length: RING }, (_, i) => eventOf(EVENTS - RING + i + 1, sentAt, 'y'));
  for (let at = 0; at < RING; at += FRAME) {
    const answer = await send(again, EVENTS - RING + at + 1, others.slice(at, at + FRAME));
    const codes = answer.type === 'stored' ? answer.bad.map(({ code }) => code) : [];
    expect(codes).toEqual(new Array(FRAME).fill('id-conflict'));
  }
  await child.ask('quiet');
  await child.end('SIGKILL');
  const entries = ofAda();
  expect(eventsIn(entries)).toBe(EVENTS);
  expect(entries.some(({ ev }) => ev?.some(({ body }) => body.text === 'y'))).toBe(false);
  expect(entries.filter(({ k }) => k === 'bad')).toHaveLength(RING);
});

test('a batch that was captured 30 days ago keeps its times, before and after a restart, and is stored once', async () => {
  const sentAt = Date.now() - 30 * DAY_MS;
  const events = [1, 2, 3].map((n) => eventOf(n, sentAt + n));
  for (let life = 0; life < 2; life += 1) {
    const socket = await connect();
    expect(await hello(socket, 1)).toMatchObject({ type: 'welcome', next: life === 0 ? 1 : 4 });
    expect(await send(socket, 1, events)).toMatchObject({ type: 'stored', upTo: 3, bad: [] });
    await child.end('SIGKILL');
    expect(ofAda().flatMap(({ ev }) => ev?.map((one) => one.sentAt))).toEqual(
      [1, 2, 3].map((n) => sentAt + n),
    );
    child = await startProofChild(settings);
  }
});

test('events of 200 devices of 100 students are in order, though connections are cut mid-frame all the time', async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const load = openLoad({
    url: `http://127.0.0.1:${child.port}`,
    key,
    seed,
    observers: 0,
    cutEvery: 16,
    subjects: Array.from({ length: 200 }, (_, i) => ({
      person: `student-${i >> 1}`,
      school: 'proof',
      installation: `device-${i}`,
    })),
  });
  try {
    await expect.poll(() => load.acknowledged(), { timeout: 90_000, interval: 100 }).toBeGreaterThan(50_000);
    await load.drain(60_000);
  } finally {
    load.close();
  }
  const unanswered = load.ledgers().reduce((sum, { sendings }) => sum + sendings.unanswered, 0);
  expect(unanswered).toBeGreaterThan(1_000);
  await child.ask('quiet');
  await child.end('SIGKILL');
  const archive = readArchive(filesOnDisk(join(settings.varDir, 'archive')));
  const { acknowledged, ...found } = checkArchive(archive, load.ledgers(), []);
  expect(acknowledged).toBeGreaterThan(50_000);
  expect(found, `seed ${seed}`).toEqual({
    lost: [],
    doubled: [],
    disordered: [],
    invented: [],
    miscounted: [],
  });
  expect((await compareStateFiles(settings.varDir, archive)).wrong).toEqual([]);
});
