import type { Socket as NetSocket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { buffered } from './pace.ts';
import type { Delta, Opened } from './protocol.ts';
import { addClass, type Bench, type Client, countedQuery, note, openBench } from './school.bench.ts';

const NOTES = { classroom: 'c1', module: 'test', query: 'notes' };
const STUDENTS = Array.from({ length: 30 }, (_, i) => `s${i}`);
const SKIP_BYTES = 256 * 1024;

let bench: Bench;
let shift = 0;
afterEach(async () => {
  shift = 0;
  await bench.close();
});

async function open() {
  const { query, runs } = countedQuery();
  bench = await openBench([query], { clock: () => Date.now() + shift });
  addClass(bench.school, 'c1', ['tess', 'tim'], STUDENTS);
  return runs;
}
const opened = (client: Client) =>
  new Promise<Opened>((resolve) => client.emit('subscribe', NOTES, resolve as never));
/** The TCP socket under a client: paused, it reads nothing more. */
const tcp = (client: Client) =>
  (client.io.engine.transport as unknown as { ws: { _socket: NetSocket } }).ws._socket;
const waiting = () => [...bench.sockets()].map((socket) => buffered(socket));

/** Every student writes 7 KiB anew, some hundred times: far more than the kernel holds for a reader. */
async function storm(rounds: number, watch: () => void = () => {}) {
  for (let round = 0; round < rounds; round += 1) {
    for (const id of STUDENTS) {
      const text = `${round} ${id} `.repeat(1000).slice(0, 7000);
      bench.states.set(note, id, { words: round, text });
    }
    await new Promise((resolve) => setTimeout(resolve, 34));
    watch();
  }
}

test('a slow reader makes 256 KiB wait at most, and ends with the newest rows, without a gap', async () => {
  await open();
  const slow = bench.connect('tess');
  const { rows } = await opened(slow);
  const held = new Map(rows.map((row) => [row.student.id, row.words]));
  const numbers: number[] = [];
  slow.on('rows', ({ n, set }: Delta) => {
    numbers.push(n);
    for (const [id, fields] of Object.entries(set ?? {}))
      if ('words' in fields) held.set(id, fields.words ?? 0);
  });
  tcp(slow).pause();
  let most = 0;
  await storm(120, () => {
    most = Math.max(most, ...waiting());
  });
  expect(most).toBeGreaterThan(100_000);
  expect(most).toBeLessThanOrEqual(SKIP_BYTES);
  tcp(slow).resume();
  await vi.waitFor(() => expect([...held.values()]).toEqual(STUDENTS.map(() => 119)), { timeout: 5000 });
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  expect(numbers.length).toBeLessThan(110);
  expect(bench.live.measures.skipped).toBeGreaterThan(0);
});

test('a reader that reads nothing for 10 s is closed with 4410, the others go on', async () => {
  await open();
  const [stalled, other] = [bench.connect('tess'), bench.connect('tim')];
  await opened(stalled);
  await opened(other);
  const closed = new Promise<unknown>((resolve) =>
    stalled.once('disconnect', (_reason, details) =>
      resolve((details as { context?: { code?: number } }).context?.code),
    ),
  );
  tcp(stalled).pause();
  await storm(90);
  expect(Math.max(...waiting())).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(bench.sockets().length).toBe(2);
  shift = 10_500;
  await new Promise((resolve) => setTimeout(resolve, 1100));
  tcp(stalled).resume();
  expect(await closed).toBe(4410);
  expect(bench.live.measures.stalled).toBe(1);
  expect(bench.edge.sockets()).toBe(1);
  const next = new Promise<Delta>((resolve) => other.once('rows', resolve));
  bench.states.set(note, 's0', { words: -1, text: '' });
  expect((await next).set?.s0).toMatchObject({ words: -1 });
});

test('C05 two that join at different times hold the same rows when all is quiet', async () => {
  await open();
  const clients = [bench.connect('tess'), bench.connect('tim')];
  const held: Map<string, unknown>[] = [];
  const numbers: number[][] = [[], []];
  const join = async (client: Client, i: number) => {
    const { rows } = await opened(client);
    const mine = new Map<string, unknown>(rows.map((row) => [row.student.id, row.words]));
    held[i] = mine;
    client.on('rows', ({ n, set }: Delta) => {
      numbers[i]?.push(n);
      for (const [id, fields] of Object.entries(set ?? {})) if ('words' in fields) mine.set(id, fields.words);
    });
  };
  await join(clients[0] as Client, 0);
  let joined = Promise.resolve();
  for (let save = 1; save <= 1000; save += 1) {
    bench.states.set(note, STUDENTS[(save * 7) % 30] as string, { words: save, text: '' });
    if (save === 400) joined = join(clients[1] as Client, 1);
    if (save % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await joined;
  await vi.waitFor(() => expect(held[0]?.get(STUDENTS[(1000 * 7) % 30] as string)).toBe(1000));
  await vi.waitFor(() => expect(held[1]).toEqual(held[0]));
  for (const seen of numbers) expect(seen).toEqual(seen.map((_, i) => i + 1));
  expect(Math.max(...(held[0] as Map<string, number>).values())).toBe(1000);
});
