import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { SERVER_ENVIRONMENT, SERVER_FLAGS } from '#server/commands/setup/server-process.mjs';
import { type Dialect, type Load, openLoad } from './ingest-load.ts';
import { DASHBOARDS, type FromServer, ORIGIN } from './ingest-server.ts';

const SENT_AT = Date.now();

/** One `google_docs_save` of about 300 bytes. */
function eventText(n: number): string {
  return `{"event":"google_docs_save","sentAt":${SENT_AT + n},"body":{"doc_id":"1x2bHaXmJk0aVd5a9Yd1","tab_id":"t.0","url":"https://docs.google.com/document/d/1x2bHaXmJk0aVd5a9Yd1/save","bundles":[{"commands":[{"ty":"is","ibi":1,"s":"a"}],"sid":"5f2a","reqId":${n}}],"rev":["27"],"timestamp":${SENT_AT + n}}}`;
}

const producerOf = (connection: number) => String(connection).padStart(22, 'P');
const helloOf = (connection: number) =>
  `{"v":1,"type":"hello","producer":"${producerOf(connection)}","epoch":${epoch},"oldest":1,"now":${Date.now()}}`;
const epoch = 1;

function batchText(connection: number, message: number, size: number): string {
  const from = (message - 1) * size + 1;
  const events = Array.from({ length: size }, (_, i) => eventText(from + i)).join(',');
  return `{"v":1,"type":"events","producer":"${producerOf(connection)}","epoch":${epoch},"from":${from},"source":"org.mitros.writing_analytics","events":[${events}]}`;
}

const baseline: Dialect = {
  path: '/',
  headers: () => [],
  greeting: () => [],
  ready: '',
  message: (_connection, seq) => eventText(seq),
  answer: '{"type":"stored"',
};

function plain(size: number): Dialect {
  return {
    path: '/wsapi/in/',
    headers: (connection) => [
      'Sec-WebSocket-Protocol: learning-observer.1',
      `Authorization: Bearer s${connection}`,
    ],
    greeting: (connection) => [['', helloOf(connection)]],
    ready: '{"type":"welcome"',
    message: (connection, seq) => batchText(connection, seq, size),
    answer: '{"type":"stored"',
  };
}

/** The same frames for a server that greets nobody. */
const unread = ({ message }: Dialect): Dialect => ({ ...baseline, message });

/** The same, over a server that asks for no token and no hello. */
const unasked = (dialect: Dialect): Dialect => ({
  ...dialect,
  greeting: () => [['0{', '40/ingest,']],
  ready: '40/ingest',
});

function socketIo(size: number): Dialect {
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    headers: () => [],
    greeting: (connection) => [
      ['0{', `40/ingest,{"token":"s${connection}"}`],
      ['40/ingest', `42/ingest,0["m",${JSON.stringify(helloOf(connection))}]`],
    ],
    ready: '43/ingest,0[{"type":"welcome"',
    message: (connection, seq) => `42/ingest,${seq}["m",${JSON.stringify(batchText(connection, seq, size))}]`,
    answer: '43/ingest,',
  };
}

const dashboards: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  headers: (n) => [`Origin: ${ORIGIN}`, `Cookie: t${n}`],
  greeting: (n) => [
    ['0{', '40/live,'],
    ['40/live', `42/live,0["subscribe",{"classroom":"c${n}","module":"bench","query":"pulse"}]`],
  ],
  ready: '43/live,0[{"ok":true',
  message: () => '3',
  answer: 'never',
};

type Server = { readonly port: number; usage(): Promise<{ cpuMs: number; events: number }>; end(): void };

async function startServer(mode: Kind['server']): Promise<Server> {
  const file = new URL('ingest-server.ts', import.meta.url).pathname;
  const child = spawn('taskset', ['-c', '0', process.execPath, ...SERVER_FLAGS, file, mode], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...SERVER_ENVIRONMENT },
  });
  const { port } = (await heard(child)) as { port: number };
  return {
    port,
    usage() {
      child.send('usage');
      return heard(child) as Promise<{ cpuMs: number; events: number }>;
    },
    end: () => child.disconnect(),
  };
}

function heard(child: ChildProcess): Promise<FromServer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the server ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as FromServer);
    });
  });
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));
const figure = (name: string, value: number, unit: string) => console.log(`figure ${name} ${value} ${unit}`);

type Kind = {
  readonly name: string;
  readonly server: 'baseline' | 'least' | 'least-socketio' | 'ours';
  readonly dialect: Dialect;
};
type Lengths = {
  readonly rounds: number;
  readonly ms: number;
  readonly warmUpMs: number;
  readonly paceMs: number;
};
const QUICK: Lengths = { rounds: 3, ms: 1_200, warmUpMs: 2_000, paceMs: 2_000 };
const WHOLE: Lengths = { rounds: 5, ms: 4_000, warmUpMs: 3_000, paceMs: 40_000 };
/** Connections at which the figures are gates. */
const GATE = 5_000;
type Found = { readonly perSecond: number; readonly cpuPerEventUs: number };

/**
 * Accepting with everything behind it (schema, dedupe, archive with sync, five reducers, 20 dashboards) beside a bare `ws`
 * server that answers each frame unread. Servers share one core, the load has the other; rounds alternate. A round lasts until
 * what it put off is done: states in the store, segments sealed.
 */
export async function run(options: { readonly quick: boolean }): Promise<void> {
  execFileSync('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' });
  const sizes = options.quick ? [GATE] : [1_000, GATE];
  const kinds: Kind[] = [
    { name: 'ws1', server: 'ours', dialect: plain(1) },
    { name: 'socketio4', server: 'ours', dialect: socketIo(4) },
  ];
  if (!options.quick) {
    kinds.push({ name: 'ws4', server: 'ours', dialect: plain(4) });
    kinds.push({ name: 'socketio1', server: 'ours', dialect: socketIo(1) });
  }
  for (const connections of sizes) {
    const isGate = connections === GATE;
    // Five times 5,000 sockets are more than a process may usually open: at the gate's size stand the gate's kinds.
    const compared = isGate ? kinds.slice(0, 2) : kinds;
    const found = await compare(compared, connections, isGate && !options.quick ? WHOLE : QUICK);
    report(compared, found, isGate ? '' : `.${connections}`);
  }
  if (options.quick) return;
  // What no work of ours on anything but these three could pass: parsing, hashing, the archive.
  const least: Kind[] = [
    { name: 'least', server: 'least', dialect: unread(plain(1)) },
    { name: 'least-socketio4', server: 'least-socketio', dialect: unasked(socketIo(4)) },
  ];
  report(least, await compare(least, GATE, WHOLE), '');
}

let addresses = 0;
/** Ports of closed connections stay taken for a minute: each load comes from a loopback address of its own. */
function fromOwnAddress(dialect: Dialect): Dialect {
  const address = `127.0.2.${++addresses}`;
  return { ...dialect, from: () => address };
}

async function compare(
  kinds: readonly Kind[],
  connections: number,
  lengths: Lengths,
): Promise<Map<string, Found[]>> {
  const found = new Map<string, Found[]>();
  const bare: Kind = { name: 'baseline', server: 'baseline', dialect: baseline };
  const open: { kind: Kind; server: Server; load: Load; boards: Load | null }[] = [];
  for (const kind of [bare, ...kinds]) {
    const server = await startServer(kind.server);
    const load = await openLoad(server.port, fromOwnAddress(kind.dialect), connections);
    const boards = kind.server === 'ours' ? await openLoad(server.port, dashboards, DASHBOARDS) : null;
    await load.run(lengths.warmUpMs);
    open.push({ kind, server, load, boards });
  }
  for (let round = 0; round < lengths.rounds; round++) {
    for (const { kind, server, load } of open) {
      const before = await server.usage();
      const since = performance.now();
      await load.run(lengths.ms);
      const after = await server.usage();
      const events = Math.max(1, after.events - before.events);
      const perSecond = (events / (performance.now() - since)) * 1000;
      const cpuPerEventUs = ((after.cpuMs - before.cpuMs) * 1000) / events;
      found.set(kind.name, [...(found.get(kind.name) ?? []), { perSecond, cpuPerEventUs }]);
    }
  }
  const ws1 = open.find(({ kind }) => kind.name === 'ws1');
  if (ws1 && connections === GATE) await reportWaits(ws1.load, lengths.paceMs);
  for (const { server, load, boards } of open) {
    load.close();
    boards?.close();
    server.end();
  }
  return found;
}

function report(kinds: readonly Kind[], found: Map<string, Found[]>, suffix: string): void {
  const bare = found.get('baseline') ?? [];
  figure(
    `ingest.baseline.frames${suffix}`,
    Math.round(median(bare.map(({ perSecond }) => perSecond))),
    'per-second',
  );
  for (const { name } of kinds) {
    const ours = found.get(name) ?? [];
    // Round by round, since other work on the machine comes and goes.
    const ratios = ours.map(({ perSecond }, i) => perSecond / (bare[i]?.perSecond ?? Number.NaN));
    figure(
      `ingest.${name}.events${suffix}`,
      Math.round(median(ours.map(({ perSecond }) => perSecond))),
      'per-second',
    );
    figure(`ingest.${name}.ratio${suffix}`, rounded(median(ratios)), 'of-bare-ws');
    // The same by CPU time: what the ratio is when nothing else wants the server's core.
    const cpuRatios = ours.map(
      ({ cpuPerEventUs }, i) => (bare[i]?.cpuPerEventUs ?? Number.NaN) / cpuPerEventUs,
    );
    figure(`ingest.${name}.cpu-ratio${suffix}`, rounded(median(cpuRatios)), 'of-bare-ws');
  }
  const cpuOf = (name: string) => rounded(median((found.get(name) ?? []).map((one) => one.cpuPerEventUs)), 1);
  figure(`ingest.baseline.cpu-per-frame${suffix}`, cpuOf('baseline'), 'us');
  if (found.has('ws1')) figure(`ingest.cpu-per-event${suffix}`, cpuOf('ws1'), 'us');
  for (const name of ['least', 'least-socketio4'])
    if (found.has(name)) figure(`ingest.${name}.cpu-per-event${suffix}`, cpuOf(name), 'us');
}

/** How long an answer takes at 5,000 events a second over 5,000 sockets. */
async function reportWaits(load: Load, ms: number): Promise<void> {
  await load.pace(GATE, 1_000);
  const waits = await load.pace(GATE, ms);
  figure('ingest.ack.p50', rounded(waits[Math.floor(waits.length * 0.5)] ?? Number.NaN), 'ms');
  figure('ingest.ack.p99', rounded(waits[Math.floor(waits.length * 0.99)] ?? Number.NaN), 'ms');
}
