import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { type Random, seededRandom } from '#server/simulate/random.ts';
import { openSocketLane, type SocketLane } from './batch-lane.ts';
import { startFuzzServer } from './fuzz-child.ts';
import type { Outcome, World } from './lane.ts';
import { newLedger } from './ledger.ts';
import type { FuzzStatus } from './server.ts';

const LANES = 16;
/** Messages of a lane that wait for answers: with the longest batches still fewer events than are refused. */
const WINDOW = 16;
/** Then a new student comes: each leaves a row in the table of producers, which is kept for 400 days. */
const LANE_MESSAGES = 250_000;
const SAMPLES = 20;
const ANSWER_MS = 30_000;
/** The heap of delivery.md F3, and the rate of L1 at which its slope per hour counts. */
const HEAP_MB = 256;
const EVENTS_PER_SECOND = 2_500;
const MOST_SLOPE = 1;
const MOST_LEFT = 4;

/** A message of the mixture: its share of 100, whether its events use seqs, and its one end. */
type Part = {
  readonly share: number;
  readonly end: Outcome;
  readonly events: number;
  readonly text: (lane: SocketLane, from: number) => string;
};

const mark = (from: number, more: object = {}) => ({
  event: 'mark',
  sentAt: Date.now(),
  body: { doc: `d${from % 7}`, n: from, tag: String(from) },
  ...more,
});
const batch = (lane: SocketLane, from: number, events: readonly object[], more: object = {}) =>
  JSON.stringify(lane.batch(events, { from, ...more }));

const PARTS: readonly Part[] = [
  { share: 50, end: 'stored', events: 1, text: (lane, from) => batch(lane, from, [mark(from)]) },
  {
    share: 15,
    end: 'stored',
    events: 4,
    text: (lane, from) =>
      batch(
        lane,
        from,
        [0, 1, 2, 3].map((k) => mark(from + k)),
      ),
  },
  {
    share: 7,
    end: 'unknown-event',
    events: 1,
    text: (lane, from) => batch(lane, from, [mark(from, { event: 'never' })]),
  },
  { share: 7, end: 'schema', events: 1, text: (lane, from) => batch(lane, from, [mark(from, { body: {} })]) },
  { share: 7, end: 'not-json', events: 0, text: () => '{"v":1,' },
  { share: 5, end: 'version-unknown', events: 0, text: (lane, from) => batch(lane, from, [], { v: 9 }) },
  { share: 3, end: 'too-deep', events: 0, text: () => '['.repeat(100) + ']'.repeat(100) },
  { share: 3, end: 'forbidden-key', events: 0, text: () => '{"__proto__":{"v":1}}' },
  { share: 3, end: 'batch-empty', events: 0, text: (lane, from) => batch(lane, from, []) },
];

type Sample = { readonly at: number; readonly messages: number; readonly status: FuzzStatus };

/** F3: messages of all ends by the million, one after another on a few connections, at a server with a small heap. False: it grew, or something had another end. */
export async function flood(messages: number, seed: number): Promise<boolean> {
  const key = generateKeyPairSync('ed25519').privateKey;
  const varDir = await mkdtemp(join(tmpdir(), 'flood-'));
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const server = await startFuzzServer({ varDir, key: pem }, HEAP_MB);
  const world: World = { port: server.port, key, ledger: newLedger(), heard: new Map(), answerMs: ANSWER_MS };
  const found = { sent: 0, wrong: new Map<string, number>(), ends: new Map<Outcome, number>() };
  const samples: Sample[] = [];
  const startedAt = performance.now();
  const sample = async () => {
    const status = await server.status();
    samples.push({ at: performance.now() - startedAt, messages: found.sent, status });
  };
  const per = Math.ceil(messages / SAMPLES / LANES);
  const lanes = Array.from({ length: LANES }, (_, i) => openSender(world, i, seededRandom(seed + i), found));
  await Promise.all(lanes.map((lane) => lane.send(per)));
  await sample();
  for (let k = 1; k < SAMPLES; k++) {
    await Promise.all(lanes.map((lane) => lane.send(per)));
    await sample();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  for (const lane of lanes) lane.close();
  const exitCode = await server.stop();
  const there = await countArchive(varDir);
  await rm(varDir, { recursive: true });
  return report({ samples, found, seconds, exitCode, there, said: server.said() });
}

type Found = {
  sent: number;
  readonly wrong: Map<string, number>;
  readonly ends: Map<Outcome, number>;
};

function openSender(world: World, number: number, random: Random, found: Found) {
  let lane: SocketLane | undefined;
  let next = 1;
  let left = 0;
  const add = (to: Map<string, number>, what: string) => void to.set(what, (to.get(what) ?? 0) + 1);

  async function one(part: Part, on: SocketLane): Promise<void> {
    const text = part.text(on, next);
    next += part.events;
    const outcome = await on.ask(text);
    add(found.ends, outcome);
    if (outcome !== part.end) add(found.wrong, `${part.end} ended as ${outcome}`);
  }

  /** Sends so many, at most a window of them unanswered. */
  async function send(count: number): Promise<void> {
    const flying = new Set<Promise<void>>();
    for (let k = 0; k < count; k++) {
      if (left === 0 || !lane) {
        await Promise.all(flying);
        lane?.close();
        lane = await openSocketLane(world, number % 2 ? 'plain' : 'socket.io');
        next = 1;
        left = LANE_MESSAGES;
      }
      left -= 1;
      found.sent += 1;
      const answer = one(pick(random), lane).finally(() => flying.delete(answer));
      flying.add(answer);
      if (flying.size >= WINDOW) await Promise.race(flying);
    }
    await Promise.all(flying);
  }

  return { send, close: () => lane?.close() };
}

function pick(random: Random): Part {
  let left = random.below(100);
  for (const part of PARTS) {
    left -= part.share;
    if (left < 0) return part;
  }
  return PARTS[0] as Part;
}

/** Events and bad rows that are on the disk, read as a start reads them. */
async function countArchive(varDir: string): Promise<{ stored: number; bad: number }> {
  const archive = await openFileArchive({
    directory: join(varDir, 'archive'),
    software: 'fuzz',
    clock: Date.now,
    limits: { minFreeBytes: 0 },
    onFatal: () => {},
  });
  const there = { stored: 0, bad: 0 };
  for await (const entries of archive.read(0))
    for (const { k, src, ev } of entries) {
      if (k === 'bad') there.bad += 1;
      else if (k === 'batch' && src === 'fuzz') there.stored += ev?.length ?? 0;
    }
  await archive.close();
  return there;
}

type Run = {
  readonly samples: readonly Sample[];
  readonly found: Found;
  readonly seconds: number;
  readonly exitCode: number | null;
  readonly there: { readonly stored: number; readonly bad: number };
  readonly said: string;
};

function report(run: Run): boolean {
  const heaps = run.samples.map(({ status }) => status.heapMb);
  const growth = growthOf(run.samples);
  const ends = endsOf(run.samples.at(-1)?.status);
  const middle = heaps[heaps.length / 2] ?? 0;
  const figures: readonly (readonly [string, number, string])[] = [
    ['messages', run.found.sent, 'messages'],
    ['rate', Math.round(run.found.sent / run.seconds), 'messages/s'],
    ['heap-limit', HEAP_MB, 'MB'],
    ['heap-max', Math.max(...heaps), 'MiB'],
    ['heap-first-half', middle - (heaps[0] ?? 0), 'MiB'],
    ['heap-second-half', (heaps.at(-1) ?? 0) - middle, 'MiB'],
    ['heap-slope', growth.perMillion, 'MiB/million'],
    [`heap-slope-at-${EVENTS_PER_SECOND}`, growth.perHour, 'MiB/h'],
    ['descriptors', growth.descriptors, 'descriptors'],
    ['timers', growth.timers, 'timers'],
    ['stored', run.there.stored, 'events'],
    ['bad', run.there.bad, 'rows'],
    ['unaccounted', Math.abs(ends.open), 'events'],
  ];
  for (const [name, value, unit] of figures)
    console.log(`figure flood.${name} ${Math.round(value * 100) / 100} ${unit}`);
  console.log(`heap: ${heaps.map((heap) => heap.toFixed(2)).join(' ')} MiB`);
  return judge([...contentChecks(run, ends), ...growthChecks(growth)]);
}

type Check = readonly [isKept: boolean, otherwise: string];

function judge(checks: readonly Check[]): boolean {
  const failed = checks.filter(([isKept]) => !isKept);
  for (const [, sentence] of failed) console.log(`FAILED ${sentence}`);
  console.log(`\n${checks.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0;
}

function contentChecks({ found, there, exitCode, said }: Run, ends: ReturnType<typeof endsOf>): Check[] {
  const wrong = [...found.wrong].map(([what, times]) => `${what} ${times} times`);
  return [
    [wrong.length === 0, wrong.join('; ')],
    [ends.open === 0, `${ends.open} events have no end, or two`],
    [there.stored === ends.stored, `${ends.stored} counted as stored, ${there.stored} on the disk`],
    [there.bad === ends.bad, `${ends.bad} counted as bad, ${there.bad} on the disk`],
    [exitCode === 0, `the server ended with ${exitCode}: ${said}`],
  ];
}

function growthChecks({ perHour, descriptors, timers }: ReturnType<typeof growthOf>): Check[] {
  return [
    [
      perHour < MOST_SLOPE,
      `the heap grows ${perHour.toFixed(1)} MiB an hour at ${EVENTS_PER_SECOND} a second`,
    ],
    [descriptors <= MOST_LEFT, 'descriptors are not flat'],
    [timers <= MOST_LEFT, 'timers are not flat'],
  ];
}

/** Of the second half, when everything that is filled once is full. */
function growthOf(samples: readonly Sample[]) {
  const late = samples.slice(samples.length / 2);
  const perMessage = slope(late.map(({ messages, status }) => [messages, status.heapMb]));
  const grown = (of: (status: FuzzStatus) => number) => {
    const values = late.map(({ status }) => of(status));
    return median(values.slice(values.length / 2)) - median(values.slice(0, values.length / 2));
  };
  return {
    perMillion: perMessage * 1e6,
    perHour: perMessage * EVENTS_PER_SECOND * 3_600,
    descriptors: grown((status) => status.descriptors),
    timers: grown((status) => status.timers),
  };
}

function endsOf(status: FuzzStatus | undefined) {
  const edges = Object.values(status?.counts.edges ?? {});
  const sum = (of: 'received' | 'stored' | 'bad' | 'duplicate' | 'declined' | 'refused') =>
    edges.reduce((total, edge) => total + edge[of], 0);
  const [stored, bad] = [sum('stored'), sum('bad')];
  const open = sum('received') - stored - bad - sum('duplicate') - sum('declined') - sum('refused');
  return { stored, bad, open };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const rise = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return rise / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
