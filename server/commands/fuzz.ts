/**
 * `npm run fuzz -- [--each N] [--seed S] [--only name] [--verbose] | --messages N`: sends N inputs of each way to be broken (delivery.md §16, F1)
 * over all edges, one between good events on the same connection, and asks whether each had its own end within a second, whether
 * every good event is stored once and whole, and whether the server is what it was before. Ends with 1 where something is not.
 * With `--messages` it sends so many of a mixture instead, at a server with a heap of 256 MB, and asks whether that grows (F3).
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { filesOnDisk, readArchive } from '#server/proof/archive-reader.ts';
import { ENGINE_KINDS } from './fuzz/engine-kinds.ts';
import { ENVELOPE_KINDS } from './fuzz/envelope-kinds.ts';
import { flood } from './fuzz/flood.ts';
import { startFuzzServer } from './fuzz/fuzz-child.ts';
import { JSON_KINDS } from './fuzz/json-kinds.ts';
import { judge } from './fuzz/judge.ts';
import type { Kind } from './fuzz/kind.ts';
import { ANSWER_MS, type World } from './fuzz/lane.ts';
import { compareArchive, newLedger } from './fuzz/ledger.ts';
import { SLOW } from './fuzz/patience.ts';
import { type KindResult, runKind } from './fuzz/run-kind.ts';
import { TRANSPORT_KINDS } from './fuzz/transport-kinds.ts';

const { values } = parseArgs({
  options: {
    each: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    messages: { type: 'string' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const each = Number(values.each);
const seed = Number(values.seed);
if (!(each >= 1 && Number.isInteger(each) && Number.isInteger(seed))) {
  console.error('give --each a whole number of inputs, and --seed a whole number.');
  process.exit(64);
}
const WARM_UP = 8;
const AT_A_TIME = 6;
const cpu = cpus();
const gib = Math.round(totalmem() / 1024 ** 3);
console.log(`machine: ${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${gib} GiB, node ${process.version}`);
console.log(`seed ${seed}`);
if (values.messages) process.exit((await flood(Number(values.messages), seed)) ? 0 : 1);

const kinds: readonly Kind[] = [...TRANSPORT_KINDS, ...ENGINE_KINDS, ...JSON_KINDS, ...ENVELOPE_KINDS].filter(
  ({ name }) => values.only === undefined || name.includes(values.only),
);
const key = generateKeyPairSync('ed25519').privateKey;
const varDir = await mkdtemp(join(tmpdir(), 'fuzz-'));
const server = await startFuzzServer({
  varDir,
  key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
});
const ledger = newLedger();
const world: World = { port: server.port, key, ledger, heard: new Map(), answerMs: ANSWER_MS };

/** Kinds that cost megabytes have the server to themselves: they would make the others wait. */
async function runAll(count: number): Promise<KindResult[]> {
  const results: KindResult[] = [];
  const run = async (kind: Kind) => {
    const result = await runKind(world, kind, count, seed + kinds.indexOf(kind));
    if (values.verbose)
      console.log(
        `${kind.group}: ${kind.name}: ${[...result.ends].map(([end, n]) => `${end} ${n}`).join(', ')}`,
      );
    results.push(result);
  };
  const light = kinds.filter(({ oneIn }) => !oneIn);
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let kind = light.shift(); kind; kind = light.shift()) await run(kind);
    }),
  );
  for (const kind of kinds) if (kind.oneIn) await run(kind);
  return results;
}

await runAll(Math.min(each, WARM_UP));
const before = await server.status();
const slow =
  values.only === undefined ? SLOW.map(async ({ name, end }) => ({ name, isRight: await end(world) })) : [];
const startedAt = performance.now();
const results = await runAll(each);
const seconds = (performance.now() - startedAt) / 1000;
const patient = await Promise.all(slow);
const after = await settled();
const exitCode = await server.stop();
const archive = readArchive(filesOnDisk(join(varDir, 'archive')));
const isRight = judge({
  results,
  patient,
  world,
  before,
  after,
  seconds,
  exitCode,
  said: server.said(),
  found: compareArchive(ledger, archive),
  isWhole: values.only === undefined,
});
await rm(varDir, { recursive: true });
process.exit(isRight ? 0 : 1);

/** Events of connections that were cut have their end soon, descriptors and timers go within seconds. */
async function settled() {
  let status = await server.status();
  const isMore = () =>
    status.inFlight > 0 || status.descriptors > before.descriptors || status.timers > before.timers;
  for (let k = 0; k < 40 && isMore(); k++) {
    await new Promise((done) => setTimeout(done, 250));
    status = await server.status();
  }
  return status;
}
