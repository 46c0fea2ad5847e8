/**
 * `node server/commands/properties.ts [--minutes N] [--seed S]`: the property tests of envelope, entry, segment reader and
 * state key (delivery.md §16, F4) for as long as asked, in turns, and how much of the validator's branches they reached. Ends
 * with 1 where a property does not hold, and prints seed and path of the smallest counterexample.
 */
import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import fc from 'fast-check';

const VALIDATOR = /server\/ingest\/(envelope|structure)\.ts$/;
const RUNS_A_TURN = 200;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0.1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
});
const minutes = Number(values.minutes);
const first = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(first)) {
  console.error('--minutes is a number above 0, --seed a whole one');
  process.exit(64);
}

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
// Only now: what is loaded before it is counted has no blocks.
const { PROPERTIES } = await import('#server/proof/properties/all.ts');

console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, node ${process.version}`);
console.log(`seed ${first}`);
const until = performance.now() + minutes * 60_000;
const failed = new Set<string>();
let runs = 0;
for (let seed = first; performance.now() < until && failed.size < PROPERTIES.length; seed += 1) {
  for (const { name, of } of PROPERTIES) {
    if (failed.has(name)) continue;
    const found = await fc.check(of(), { seed, numRuns: RUNS_A_TURN });
    runs += found.numRuns;
    if (!found.failed) continue;
    failed.add(name);
    console.error(`FAILED ${name}\n${fc.defaultReportMessage(found)}\n${String(found.errorInstance)}`);
  }
}
const { share, missed } = branches(await session.post('Profiler.takePreciseCoverage'));
for (const place of missed) console.log(`not reached: ${place}`);
console.log(`figure properties.runs ${runs} inputs`);
console.log(`figure properties.minutes ${minutes} min`);
console.log(`figure properties.validator-branches ${share.toFixed(3)} ratio`);
console.log(`${PROPERTIES.length - failed.size} passed, ${failed.size} failed`);
process.exit(failed.size === 0 ? 0 : 1);

/** Each function and each block of the validator that V8 counts apart, and those never entered. */
function branches({ result }: Profiler.TakePreciseCoverageReturnType): {
  readonly share: number;
  readonly missed: readonly string[];
} {
  const scripts = result.filter(({ url }) => VALIDATOR.test(url));
  const blocks = scripts.flatMap(({ url, functions }) =>
    functions.flatMap(({ functionName, ranges }) =>
      ranges.map(({ startOffset, endOffset, count }) => ({
        place: `${url.slice(url.lastIndexOf('/') + 1)} ${functionName} ${startOffset}–${endOffset}`,
        count,
      })),
    ),
  );
  const missed = blocks.filter(({ count }) => count === 0).map(({ place }) => place);
  return { share: blocks.length === 0 ? 0 : 1 - missed.length / blocks.length, missed };
}
