import { judge, type Verdict } from './judge.ts';
import { configOf, type Mutant, sabotaged } from './mutant.ts';
import { runTests, type TestRun } from './run-tests.ts';
import { copyTree, type Tree } from './tree.ts';

export type Hunted = { readonly mutant: Mutant; readonly verdict: Verdict; readonly seconds: number };

export type Hunt = {
  readonly root: string;
  readonly mutants: readonly Mutant[];
  readonly log: (line: string) => void;
  readonly onEnd: (hunted: Hunted) => void;
};

const LANES = 2;
const LEAST_TEST_MS = 8_000;
const MOST_MS = 90_000;
const MOST_BASELINE_MS = 600_000;

/** Runs the tests named without any sabotage, then under each; two at a time, each lane in a copy of its own. */
export async function hunt({ root, mutants, log, onEnd }: Hunt): Promise<readonly Hunted[]> {
  const first = await copyTree(root);
  const trees = [first];
  try {
    while (trees.length < LANES) trees.push(await copyTree(first.folder));
    const green = await findGreen(first.folder, mutants, log);
    const hunted: Hunted[] = [];
    const left = [...mutants];
    const lane = async (tree: Tree) => {
      for (let mutant = left.shift(); mutant; mutant = left.shift()) {
        const one = await huntOne(tree, mutant, green);
        hunted.push(one);
        onEnd(one);
      }
    };
    await Promise.all(trees.map(lane));
    return hunted;
  } finally {
    for (const tree of trees) await tree.remove();
  }
}

async function huntOne(tree: Tree, mutant: Mutant, green: ReadonlyMap<string, number>): Promise<Hunted> {
  const began = performance.now();
  const verdict = await tryOne(tree, mutant, green);
  return { mutant, verdict, seconds: (performance.now() - began) / 1000 };
}

async function tryOne(tree: Tree, mutant: Mutant, green: ReadonlyMap<string, number>): Promise<Verdict> {
  const source = await tree.read(mutant.file);
  try {
    await tree.write(mutant.file, sabotaged(source, mutant));
  } catch (error) {
    return { end: 'invalid', why: error instanceof Error ? error.message : String(error) };
  }
  const { tests: files, names } = mutant;
  const limits = { workers: 1, mostTestMs: patience(files, green), mostMs: MOST_MS };
  const run = await runTests({ folder: tree.folder, files, names, bails: true, ...limits });
  await tree.write(mutant.file, source);
  return judge(run, green);
}

/** A test that waits for what a sabotage keeps from happening has waited long enough; a slow one is not taken for stuck. */
function patience(files: readonly string[], green: ReadonlyMap<string, number>): number {
  const known = [...green].filter(([test]) => files.some((file) => test.startsWith(`${file} `)));
  return Math.round(Math.max(LEAST_TEST_MS, 4 * Math.max(0, ...known.map(([, ms]) => ms))));
}

/** The tests that are green without a sabotage: only those can kill. One that is red anyway is said, and proves nothing. */
async function findGreen(
  folder: string,
  mutants: readonly Mutant[],
  log: Hunt['log'],
): Promise<ReadonlyMap<string, number>> {
  const began = performance.now();
  const runs: TestRun[] = [];
  for (const tests of baselines(mutants))
    runs.push(await runTests({ ...tests, folder, bails: false, workers: LANES, mostMs: MOST_BASELINE_MS }));
  const ends = runs.flatMap((run) => run.ends);
  const green = new Map(ends.filter(({ status }) => status === 'passed').map(({ test, ms }) => [test, ms]));
  const red = [
    ...ends.filter(({ status }) => status === 'failed').map(({ test }) => test),
    ...runs.flatMap((run) => run.broken),
  ];
  for (const test of red) log(`red without any sabotage: ${test}`);
  log(`${green.size} tests are green without a sabotage (${seconds(performance.now() - began)} s)`);
  return green;
}

/** Each config's files once, in two halves, of which the second has the tests that are chosen by name. */
function baselines(mutants: readonly Mutant[]): readonly { files: readonly string[]; names?: string }[] {
  return (['unit', 'servers'] as const).flatMap((config) => {
    const of = mutants.filter(({ tests }) => configOf(tests[0] ?? '') === config);
    const whole = new Set(of.filter(({ names }) => names === undefined).flatMap(({ tests }) => tests));
    const named = of.filter(
      ({ names, tests }) => names !== undefined && !tests.every((file) => whole.has(file)),
    );
    const inPart = new Set(named.flatMap(({ tests }) => tests));
    const names = named.map((one) => `(?:${one.names})`).join('|');
    return [{ files: [...whole] }, { files: [...inPart], names }].filter(({ files }) => files.length > 0);
  });
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
