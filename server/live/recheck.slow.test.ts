import { afterEach, expect, test } from 'vitest';
import type { Delta, NotOpened, Opened, Told } from './protocol.ts';
import { addClass, type Bench, type Client, countedQuery, note, openBench } from './school.bench.ts';

const NOTES = { classroom: 'c1', module: 'test', query: 'notes' };
let bench: Bench;
let shift = 0;
afterEach(async () => {
  shift = 0;
  await bench.close();
});

const subscribe = (client: Client) =>
  new Promise<Opened | NotOpened>((resolve) => client.emit('subscribe', NOTES, resolve));
const next = <E extends keyof Told>(client: Client, event: E) =>
  new Promise<Parameters<Told[E]>[0]>((resolve) => client.once(event, resolve as never));
const rows = (client: Client) => {
  const heard: Delta[] = [];
  client.on('rows', (delta) => heard.push(delta));
  return heard;
};

async function watching(): Promise<Client> {
  bench = await openBench([countedQuery().query], { clock: () => Date.now() + shift });
  addClass(bench.school, 'c1', ['tess'], ['ada', 'bo']);
  const tess = bench.connect('tess');
  expect(await subscribe(tess)).toMatchObject({ ok: true });
  return tess;
}

test('a right that is withdrawn without a word reaches an open channel after 30 s', async () => {
  const tess = await watching();
  const refused = next(tess, 'refused');
  bench.school.classes.get('c1')?.teachers.clear();
  shift = 30_001;
  expect(await refused).toMatchObject({ code: 'not-found' });
  const heard = rows(tess);
  bench.states.set(note, 'ada', { words: 1, text: '' });
  await subscribe(tess);
  expect(heard).toEqual([]);
});

test('a student who leaves without a word is gone after 30 s', async () => {
  const tess = await watching();
  const told = next(tess, 'rows');
  bench.school.classes.get('c1')?.students.pop();
  shift = 30_001;
  expect((await told).gone).toEqual(['bo']);
});

test('a session that ends without a word closes its connection after 30 s', async () => {
  const tess = await watching();
  const closed = new Promise((resolve) => tess.once('disconnect', (_why, details) => resolve(details)));
  bench.sessions.clear();
  shift = 30_001;
  expect(await closed).toMatchObject({ context: { code: 4401 } });
});

test('while rights cannot be asked about a channel lives on its last yes for 60 s, and no longer', async () => {
  const tess = await watching();
  bench.school.down = new Error('the database is away');
  shift = 31_000;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const told = next(tess, 'rows');
  bench.states.set(note, 'ada', { words: 1, text: '' });
  expect((await told).set).toEqual({ ada: { words: 1 } });
  const refused = next(tess, 'refused');
  shift = 62_000;
  expect(await refused).toMatchObject({ code: 'unavailable', reason: 'your rights cannot be checked now' });
  const heard = rows(tess);
  bench.states.set(note, 'ada', { words: 2, text: '' });
  expect(await subscribe(tess)).toMatchObject({ ok: false, code: 'unavailable', retryAfterMs: 1000 });
  expect(heard).toEqual([]);
});
