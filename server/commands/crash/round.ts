import type { KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Files, filesOnDisk, type ReadArchive, readArchive } from '#server/proof/archive-reader.ts';
import { type Load, newKey } from '#server/proof/load.ts';
import { checkArchive } from '#server/proof/oracle.ts';
import { startProofChild } from '#server/proof/proof-child.ts';
import type { ProofStatus } from '#server/proof/proof-server.ts';
import type { SabotageName } from '#server/proof/sabotage.ts';
import type { Random } from '#server/simulate/random.ts';

/** What a scenario of crashes is run with. */
export type Scenario = {
  readonly rounds: number;
  readonly seed: number;
  readonly random: Random;
  /** A fault planted in the server, to see whether the oracle finds it. */
  readonly sabotage?: SabotageName;
  /** How long Redis is away in a measured outage, ms. */
  readonly outageMs?: number;
  readonly onRound: (round: Round) => void;
};

/** One crash and what the oracle said after it: every broken promise a sentence. */
export type Round = {
  readonly what: string;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly mismatches: readonly string[];
  /** Order, invention, counts, times, exit codes. */
  readonly others: readonly string[];
  /** Events that clients had been told of, since the beginning of this archive. */
  readonly acknowledged: number;
  readonly isInFlight: boolean;
  readonly isRecent: boolean;
  readonly readyMs: number;
  /** What else there is to say of it. */
  readonly note?: string;
};

export type CompareStates = (archive: ReadArchive) => Promise<{ readonly wrong: readonly string[] }>;

const READY_MS = 3_000;
const UNDERWAY_EVENTS = 300;
const UNDERWAY_MS = 15_000;
export const SEAL_BYTES = 512 * 1024;

export type Moment = {
  readonly inFlight: number;
  readonly recent: number;
};

/** What clients had at a moment; taken right before it is ended. */
export function momentOf(load: Load): Moment {
  return { inFlight: load.inFlight(), recent: load.acknowledgedWithin(50) };
}

export const NO_MOMENT: Moment = { inFlight: 0, recent: 0 };

/** Asks the oracle: the archive against the clients' ledgers, the stored states against the archive. */
export async function judge(about: {
  readonly what: string;
  readonly files: Files;
  readonly load: Load;
  readonly compare: CompareStates;
  readonly moment?: Moment;
  readonly readyMs?: number;
  readonly others?: readonly string[];
}): Promise<Round> {
  const { what, files, load, compare, moment = NO_MOMENT, readyMs = 0, others = [] } = about;
  const archive = read(files);
  if (typeof archive === 'string') return { ...unreadable(what, archive), ...flags(moment), readyMs };
  const found = checkArchive(archive, load.ledgers(), load.sockets());
  const { wrong } = await compare(archive);
  const late = (await isLate(readyMs)) ? [`ready after ${Math.round(readyMs)} ms`] : [];
  return {
    what,
    lost: found.lost,
    doubled: found.doubled,
    mismatches: wrong,
    others: [...found.disordered, ...found.invented, ...found.miscounted, ...late, ...others],
    acknowledged: found.acknowledged,
    ...flags(moment),
    readyMs,
  };
}

/** R1. On a machine that is busy with other things a start that has nothing to mend is just as slow, and nobody is to blame. */
async function isLate(readyMs: number): Promise<boolean> {
  if (readyMs <= READY_MS) return false;
  const emptyMs = await inNewFolder(async (varDir) => {
    const child = await startProofChild({ varDir, port: 0, key: pemOf(newKey()), sealBytes: SEAL_BYTES });
    await child.end('SIGKILL');
    return child.readyMs;
  });
  return readyMs > 3 * emptyMs;
}

/** An archive that cannot be read has lost all that it held. */
function read(files: Files): ReadArchive | string {
  try {
    return readArchive(files);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function unreadable(what: string, why: string) {
  return { what, lost: [`all: ${why}`], doubled: [], mismatches: [], others: [], acknowledged: 0 };
}

function flags(moment: Moment) {
  return { isInFlight: moment.inFlight > 0, isRecent: moment.recent > 0 };
}

export function archiveIn(varDir: string): Files {
  return filesOnDisk(join(varDir, 'archive'));
}

export function isBroken(round: Round): boolean {
  return [round.lost, round.doubled, round.mismatches, round.others].some((found) => found.length > 0);
}

/** E7 on the server's side, when nothing is on its way: what came in is the sum of the five ends. */
export function miscounted({ counts }: ProofStatus): string[] {
  return Object.entries(counts.edges).flatMap(([edge, ends]) => {
    const { received, stored, duplicate, bad, declined, refused } = ends;
    const sum = stored + duplicate + bad + declined + refused;
    return sum === received ? [] : [`${edge}: ${received} received, ${sum} ended`];
  });
}

export function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

export function after(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Resolves when clients send again and are answered again: a crash that meets nothing proves nothing. */
export async function underway(load: Load): Promise<void> {
  const before = load.acknowledged();
  await eventually(() => load.inFlight() > 0 && load.acknowledged() >= before + UNDERWAY_EVENTS, UNDERWAY_MS);
}

/** Polls until it holds; false after so many ms. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > until) return false;
    await after(20);
  }
}

export async function inNewFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'crash-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
