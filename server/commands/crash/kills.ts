import { type Load, newKey, openLoad } from '#server/proof/load.ts';
import { killAtStart, type ProofChild, startProofChild } from '#server/proof/proof-child.ts';
import type { ProcessSettings } from '#server/proof/proof-process.ts';
import { PROOF_MODULES } from '#server/proof/proof-server.ts';
import { compareStateFiles } from '#server/proof/stored-states.ts';
import { foldedAgain } from './folded-again.ts';
import {
  after,
  archiveIn,
  eventually,
  inNewFolder,
  judge,
  miscounted,
  momentOf,
  pemOf,
  type Scenario,
  SEAL_BYTES,
  underway,
} from './round.ts';

/** Kills before a new archive is begun: the oracle reads all of it each time. */
const ROUNDS_OF_A_LIFE = 4;
const STOP_MS = 10_000;
const HOUR_MS = 3_600_000;
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS;

/**
 * R1: SIGKILL at random moments under load, after each of which the clock is up to an hour off (R14), and at the end of each life R15: SIGTERM under load. Between two starts the oracle reads
 * the dead process's files; at the end all is drained, counted (E7) and folded once more by the server's own code (R4).
 */
export async function runKills(scenario: Scenario): Promise<void> {
  for (let done = 0; done < scenario.rounds; done += ROUNDS_OF_A_LIFE) {
    const rounds = Math.min(ROUNDS_OF_A_LIFE, scenario.rounds - done);
    await inNewFolder((varDir) => liveAndDie(scenario, varDir, rounds));
  }
}

async function liveAndDie(scenario: Scenario, varDir: string, rounds: number): Promise<void> {
  const { random, sabotage, onRound } = scenario;
  const key = newKey();
  const settings = { varDir, port: 0, key: pemOf(key), sealBytes: SEAL_BYTES, sabotage };
  let child = await startProofChild(settings);
  const { port } = child;
  const load = openLoad({
    url: `http://127.0.0.1:${port}`,
    key,
    seed: random.below(2 ** 31),
    clockShiftMs: TEN_YEARS_MS,
  });
  const again = { ...settings, port };
  const shifted = () => ({ ...again, clockShiftMs: Math.round(random.between(-1, 1) * HOUR_MS) });
  try {
    for (let round = 0; round < rounds; round += 1) {
      onRound(await kill(child, load, { random, varDir }));
      // Every third death is followed by one in the middle of mending what it left.
      if (round % 3 === 1) await killAtStart(shifted(), child.readyMs * random.between(0.5, 1.1));
      child = await startProofChild(shifted());
    }
    onRound(await stopUnderLoad(child, load, varDir));
    onRound(await endQuietly(shifted(), load, varDir));
  } finally {
    load.close();
    await child.end('SIGKILL');
  }
}

async function kill(
  child: ProofChild,
  load: Load,
  about: { readonly random: Scenario['random']; readonly varDir: string },
) {
  const { random, varDir } = about;
  await underway(load);
  await after(random.between(50, 900));
  const moment = momentOf(load);
  const { signal, code } = await child.end('SIGKILL');
  const round = await judge({
    what: 'kill',
    files: archiveIn(varDir),
    load,
    compare: (archive) => compareStateFiles(varDir, archive),
    moment,
    readyMs: child.readyMs,
    others: signal === 'SIGKILL' ? [] : [`ended by itself with ${code ?? signal}: ${child.said()}`],
  });
  const note = `${moment.inFlight} in flight, ${moment.recent} answered in the last 50 ms`;
  return { ...round, note };
}

/** R15. Clients come back at once and not after the time that they are told: it is up to 15 s, and the next start is due. */
async function stopUnderLoad(child: ProofChild, load: Load, varDir: string) {
  await underway(load);
  await after(300);
  for (const client of load.clients) client.stopCutting();
  const connected = load.clients.filter((client) => client.hearsPushes());
  const before = connected.map((client) => client.heard.get('going-away') ?? 0);
  const startedAt = performance.now();
  const moment = momentOf(load);
  const { code, signal } = await child.end('SIGTERM');
  const ms = performance.now() - startedAt;
  const deaf = connected.filter((client, i) => (client.heard.get('going-away') ?? 0) <= (before[i] ?? 0));
  const others = [
    ...(code === 0 ? [] : [`SIGTERM ended it with ${code ?? signal}: ${child.said()}`]),
    ...(ms <= STOP_MS ? [] : [`SIGTERM took ${Math.round(ms)} ms`]),
    ...(deaf.length > connected.length / 100
      ? [`${deaf.length} of ${connected.length} did not hear going-away`]
      : []),
  ];
  const compare = (archive: Parameters<typeof compareStateFiles>[1]) => compareStateFiles(varDir, archive);
  return judge({
    what: 'stop',
    files: archiveIn(varDir),
    load,
    compare,
    moment,
    others,
  });
}

/** Everything is sent, folded, counted and stored; then nothing may be missing at all. */
async function endQuietly(settings: ProcessSettings, load: Load, varDir: string) {
  const child = await startProofChild(settings);
  try {
    await load.drain();
    load.close();
    const isCounted = async () => miscounted(await child.ask('quiet')).length === 0;
    await eventually(isCounted, 2_000);
    const status = await child.ask('quiet');
    await child.end('SIGTERM');
    const round = await judge({
      what: 'rest',
      files: archiveIn(varDir),
      load,
      compare: (archive) => compareStateFiles(varDir, archive),
      others: miscounted(status),
    });
    return { ...round, mismatches: [...round.mismatches, ...(await foldedAgain(varDir, PROOF_MODULES))] };
  } finally {
    await child.end('SIGKILL');
  }
}
