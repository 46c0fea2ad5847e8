import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { SERVER_ENVIRONMENT, SERVER_FLAGS } from '#server/commands/setup/server-process.mjs';
import { type Dialect, openLoad } from './ingest-load.ts';
import type { FromServer } from './memory-server.ts';

const STUDENTS = 2_000;
/**
 * So many come at a time, and the server collects its garbage before the next: what is held is measured, not what a rush
 * leaves in the allocators. The first ones come before the first look, so that what any first connection costs is not counted.
 */
const AT_A_TIME = 200;
const CHARACTERS = 5_000;
const PROSE = 'The rain had stopped before anybody noticed, and the street was quiet again. ';
const DOCUMENT = PROSE.repeat(Math.ceil(CHARACTERS / PROSE.length)).slice(0, CHARACTERS);

/**
 * What one more connected student costs the whole process: sockets, sessions, and all states of one who has written a
 * document of 5,000 characters, in resident memory after a collection.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const found = { socketio: [] as number[], ws: [] as number[] };
  const students = quick ? STUDENTS / 2 : STUDENTS;
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    found.socketio.push(await measure(socketIo, students));
    found.ws.push(await measure(plain, students));
  }
  for (const [name, values] of Object.entries(found)) {
    const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    console.log(`figure memory.per-student.${name} ${(median / 1_000).toFixed(1)} KB`);
  }
}

async function measure(dialectFrom: (first: number) => Dialect, students: number): Promise<number> {
  const file = new URL('memory-server.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...SERVER_FLAGS, '--expose-gc', file, 'serve'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...SERVER_ENVIRONMENT },
  });
  const { port } = (await heard(child)) as { port: number };
  const loads = [await write(port, dialectFrom(0), AT_A_TIME)];
  const before = await held(child);
  let now = before;
  for (let first = AT_A_TIME; first <= students; first += AT_A_TIME) {
    loads.push(await write(port, dialectFrom(first), AT_A_TIME));
    now = await held(child);
  }
  const all = AT_A_TIME + students;
  if (now.students !== all || now.sockets !== all || now.faults > 0)
    throw new Error(`not everyone is there: ${JSON.stringify(now)}`);
  for (const load of loads) load.close();
  child.disconnect();
  await once(child, 'exit');
  const kb = (bytes: number) => (bytes / students / 1_000).toFixed(1);
  console.log(
    `one more student: resident ${kb(now.rss - before.rss)} KB, of which objects ${kb(now.heapUsed - before.heapUsed)} KB`,
  );
  return (now.rss - before.rss) / students;
}

/** Each connection sends its document, then types a little. */
async function write(port: number, dialect: Dialect, connections: number) {
  const load = await openLoad(port, dialect, connections);
  await load.pace(4 * connections, 800);
  return load;
}

async function held(child: ChildProcess): Promise<Exclude<FromServer, { port: number }>> {
  child.send('held');
  return (await heard(child)) as Exclude<FromServer, { port: number }>;
}

function heard(child: ChildProcess): Promise<FromServer> {
  return new Promise((done, fail) => {
    child.once('message', (message) => done(message as FromServer));
    child.once('exit', (code) => fail(new Error(`the server ended with ${code}`)));
  });
}

const studentOf = (connection: number) => `st_${String(connection).padStart(22, '0')}`;
const helloOf = (connection: number) =>
  `{"v":1,"type":"hello","producer":"${producerOf(connection)}","epoch":1,"oldest":1,"now":${Date.now()}}`;
const producerOf = (connection: number) => String(connection).padStart(22, 'P');

function batchOf(connection: number, seq: number): string {
  const command = seq === 1 ? { ty: 'is', ibi: 1, s: DOCUMENT } : { ty: 'is', ibi: 100 * seq, s: 'a' };
  const body = { doc_id: `doc-${connection}`, bundles: [{ commands: [command] }], rev: [String(seq)] };
  return JSON.stringify({
    v: 1,
    type: 'events',
    producer: producerOf(connection),
    epoch: 1,
    from: seq,
    source: 'org.mitros.writing_analytics',
    events: [{ event: 'google_docs_save', sentAt: Date.now(), body }],
  });
}

function plain(first: number): Dialect {
  return {
    path: '/wsapi/in/',
    headers: (n) => [
      'Sec-WebSocket-Protocol: learning-observer.1',
      `Authorization: Bearer ${studentOf(first + n)}`,
    ],
    greeting: (n) => [['', helloOf(first + n)]],
    ready: '{"type":"welcome"',
    message: (n, seq) => batchOf(first + n, seq),
    answer: '{"type":"stored"',
  };
}

function socketIo(first: number): Dialect {
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    headers: () => [],
    greeting: (n) => [
      ['0{', `40/ingest,{"token":"${studentOf(first + n)}"}`],
      ['40/ingest', `42/ingest,0["m",${JSON.stringify(helloOf(first + n))}]`],
    ],
    ready: '43/ingest,0[{"type":"welcome"',
    message: (n, seq) => `42/ingest,${seq}["m",${JSON.stringify(batchOf(first + n, seq))}]`,
    answer: '43/ingest,',
  };
}
