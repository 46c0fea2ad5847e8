/**
 * `npm run crash -- [--kills N] [--cuts N] [--owners N] [--redis N [--outage-seconds S]] [--clones N] [--faults N] [--full N] [--school N] [--seed S] [--verbose]`:
 * kills the server, its power, its owner and its Redis at random moments under load, cuts and breaks a simulated disk, fills a
 * small one, and asks after each whether anything acknowledged was lost, anything stored twice,
 * any state not the fold of the archive (delivery.md §16). Ends with 1 where something was.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { SABOTAGES, type SabotageName } from '#server/proof/sabotage.ts';
import { seededRandom } from '#server/simulate/random.ts';
import { type CrashKind, openTally, SCENARIOS } from './crash/scenarios.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '0' },
    cuts: { type: 'string', default: '0' },
    clones: { type: 'string', default: '0' },
    owners: { type: 'string', default: '0' },
    redis: { type: 'string', default: '0' },
    faults: { type: 'string', default: '0' },
    full: { type: 'string', default: '0' },
    'outage-seconds': { type: 'string', default: '3' },
    school: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    sabotage: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const sabotage = SABOTAGES.find((name): name is SabotageName => name === values.sabotage);
const asked = (Object.keys(SCENARIOS) as CrashKind[]).map((kind) => [kind, Number(values[kind])] as const);
if (asked.some(([, rounds]) => !(rounds >= 0)) || asked.every(([, rounds]) => rounds === 0)) {
  console.error(`name how many of what: ${asked.map(([kind]) => `--${kind} 20`).join(' ')}.`);
  process.exit(64);
}
const cpu = cpus();
const gib = Math.round(totalmem() / 1024 ** 3);
console.log(`machine: ${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${gib} GiB, node ${process.version}`);
console.log(`seed ${seed}${sabotage ? `, planted fault: ${sabotage}` : ''}`);

const tally = openTally(values.verbose);
for (const [kind, rounds] of asked) {
  if (rounds === 0) continue;
  const own = seed * 31 + kind.length;
  const random = seededRandom(own);
  await tally.run(kind, {
    rounds,
    outageMs: 1000 * Number(values['outage-seconds']),
    seed: own,
    random,
    ...(sabotage ? { sabotage } : {}),
  });
}
process.exit(tally.print() ? 0 : 1);
