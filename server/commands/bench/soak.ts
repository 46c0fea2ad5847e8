import { createPrivateKey } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LITTLE_MEMORY_FLAGS } from '#server/commands/setup/server-process.mjs';
import type { HistogramCounts } from '#server/histogram.ts';
import { openLoad } from './ingest-load.ts';
import { type Heard, heardFrom, startServer, typing, watching } from './soak-load.ts';
import { CLASS_SIZE, type FromServer } from './soak-server.ts';

/**
 * `rate`: events a second of one socket. `isCollecting`: to see what is alive; waiting times mean nothing then.
 * `hasLittleMemory`: the server is started as for a machine that has little, which L1's cap on hot states is for.
 */
type Size = {
  readonly sockets: number;
  readonly seconds: number;
  readonly warmUpMs: number;
  readonly rate: number;
  readonly isCollecting: boolean;
  readonly hasLittleMemory: boolean;
};
/** Waits are told of each part of the time, too: what comes with age, or once, is then seen. */
const PARTS = 6;
type Measured = Extract<FromServer, { readonly counts: unknown }>;

const AS_USUAL = { isCollecting: false, hasLittleMemory: true };
const QUICK: Size = { sockets: 500, seconds: 20, warmUpMs: 3_000, rate: 0.5, ...AS_USUAL };
const WHOLE: Size = { sockets: 5_000, seconds: 30 * 60, warmUpMs: 10_000, rate: 0.5, ...AS_USUAL };
/**
 * Delivery.md L1: students that type and teachers that watch, limits in force, from many loopback addresses. The server is
 * `soak-server.ts` in a process of its own: production's composition without pages. Sets the exit code 1 when anything sent
 * has no end, or the archive holds something else than was acknowledged.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const { sockets, seconds, warmUpMs, rate, isCollecting, hasLittleMemory } = sizeOf(quick);
  const perSecond = sockets * rate;
  const classes = Math.ceil(sockets / CLASS_SIZE);
  const flags = hasLittleMemory ? LITTLE_MEMORY_FLAGS : [];
  const child = startServer(classes, 'with-database', undefined, flags);
  const { port, key } = (await heardFrom(child)) as Extract<FromServer, { readonly port: number }>;
  const heard: Heard = { sent: 0, stored: 0, other: 0, rows: 0 };
  const load = await openLoad(port, await typing(createPrivateKey(key), sockets, heard), sockets);
  const boards = await openLoad(port, watching(heard), classes);
  await load.pace(perSecond, warmUpMs);
  child.send(isCollecting ? 'begin-collecting' : 'begin');
  const parts: (readonly number[])[] = [];
  for (let i = 0; i < PARTS; i += 1) parts.push(await load.pace(perSecond, (seconds * 1_000) / PARTS));
  child.send('end');
  const measured = (await heardFrom(child)) as Measured;
  load.close();
  boards.close();
  child.disconnect();
  report(parts, measured, heard, isCollecting ? 5 : 1);
  if (isCollecting)
    console.log(`alive: ${measured.memory.map(({ heapUsed }) => heapUsed.toFixed(1)).join(' ')} MB`);
  const faults = complaints(measured, heard);
  for (const fault of faults) console.error(`soak: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

function sizeOf(quick: boolean): Size {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      quick: { type: 'boolean' },
      minutes: { type: 'string' },
      sockets: { type: 'string' },
      rate: { type: 'string' },
      collect: { type: 'boolean', default: false },
      'much-memory': { type: 'boolean', default: false },
    },
  });
  const size = quick ? QUICK : WHOLE;
  return {
    ...size,
    sockets: Number(values.sockets ?? size.sockets),
    rate: Number(values.rate ?? size.rate),
    isCollecting: values.collect,
    hasLittleMemory: !values['much-memory'],
    seconds: values.minutes === undefined ? size.seconds : Number(values.minutes) * 60,
  };
}

function report(
  parts: readonly (readonly number[])[],
  measured: Measured,
  heard: Heard,
  secondsApart: number,
): void {
  const { memory, cores, loopDelayP99Ms, loopDelayMaxMs, syncs, rows } = measured;
  const waits = Float64Array.from(parts.flat()).sort();
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['p999', 0.999],
  ] as const)
    figure(`soak.ack.${name}`, at(waits, share), 'ms');
  for (const [i, part] of parts.entries()) {
    figure(`soak.ack.p99.part-${i + 1}`, at(part, 0.99), 'ms');
    figure(`soak.ack.p999.part-${i + 1}`, at(part, 0.999), 'ms');
  }
  const secondHalf = memory.slice(Math.floor(memory.length / 2));
  for (const [name, kind] of [
    ['rss', 'rss'],
    ['heap-used', 'heapUsed'],
    ['heap-total', 'heapTotal'],
    ['external', 'external'],
    ['array-buffers', 'arrayBuffers'],
  ] as const) {
    figure(`soak.${name}`, Math.max(...memory.map((one) => one[kind])), 'MB');
    figure(`soak.${name}-slope`, slopePerMinute(secondHalf.map((one) => one[kind])) / secondsApart, 'MB/min');
  }
  figure('soak.alive', measured.alive[1], 'MB');
  figure('soak.alive-growth', measured.alive[1] - measured.alive[0], 'MB');
  figure('soak.cpu', cores, 'cores');
  figure('soak.loop-delay.p99', loopDelayP99Ms, 'ms');
  figure('soak.loop-delay.max', loopDelayMaxMs, 'ms');
  // Of the server's own histograms: at most this.
  figure('soak.sync.p99', quantile(syncs, 0.99), 'ms');
  figure('soak.row.p95', quantile(rows, 0.95), 'ms');
  figure('soak.row.p99', quantile(rows, 0.99), 'ms');
  figure('soak.rows', heard.rows, 'deltas');
  figure('soak.events', heard.stored, 'events');
}

function at(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

/** Least squares over samples that are a second apart. */
function slopePerMinute(samples: readonly number[]): number {
  const meanX = (samples.length - 1) / 2;
  const meanY = samples.reduce((sum, y) => sum + y, 0) / samples.length;
  const rise = samples.reduce((sum, y, x) => sum + (x - meanX) * (y - meanY), 0);
  const run = samples.reduce((sum, _y, x) => sum + (x - meanX) ** 2, 0);
  return (rise / run) * 60;
}

/** The bound of the bucket in which the quantile lies. */
function quantile({ bounds, counts }: HistogramCounts, share: number): number {
  const wanted = counts.reduce((sum, count) => sum + count, 0) * share;
  let seen = 0;
  for (const [i, count] of counts.entries()) {
    seen += count;
    if (seen >= wanted) return bounds[i] ?? Number.POSITIVE_INFINITY;
  }
  return Number.NaN;
}

/** Every broken promise as a sentence; empty when all that was sent was stored once, in order, and nothing else was. */
function complaints({ counts, difference, seqs, faults, behind }: Measured, heard: Heard): string[] {
  const { received, stored } = counts.edges.socket;
  const archived = seqs.reduce((sum, [, last]) => sum + last, 0);
  const checks: readonly (readonly [boolean, string])[] = [
    [
      heard.sent === heard.stored,
      `${heard.sent} sent, ${heard.stored} acknowledged, ${heard.other} told otherwise`,
    ],
    [heard.sent === received, `${heard.sent} sent, ${received} received`],
    [stored === heard.stored, `${heard.stored} acknowledged, ${stored} counted as stored`],
    [archived === stored, `${stored} counted as stored, ${archived} in the archive`],
    [difference === 0, `${difference} events have no end, or two`],
    [faults === 0, `${faults} places where a producer's order is broken`],
    [behind === 0, `${behind} entries were never folded`],
    [heard.rows > 0, 'no dashboard heard a row'],
  ];
  return checks.filter(([isKept]) => !isKept).map(([, sentence]) => sentence);
}

function figure(name: string, value: number, unit: string): void {
  console.log(`figure ${name} ${Math.round(value * 100) / 100} ${unit}`);
}
