import { BAD_CODES, DECLINED_CODES, REFUSED_CODES, REQUEST_CODES } from '#server/errors.ts';
import type { World } from './lane.ts';
import type { KindResult } from './run-kind.ts';
import type { FuzzStatus } from './server.ts';

export type Findings = {
  readonly results: readonly KindResult[];
  readonly patient: readonly { readonly name: string; readonly isRight: boolean }[];
  readonly world: World;
  readonly before: FuzzStatus;
  readonly after: FuzzStatus;
  readonly seconds: number;
  readonly exitCode: number | null;
  readonly said: string;
  readonly found: { readonly lost: readonly string[]; readonly stored: number; readonly bad: number };
  /** All kinds were run: what is only true of all is asked too. */
  readonly isWhole: boolean;
};

const LEAST_KINDS = 64;
const LEAST_CODES = 25;
const LEAST_PASSED = 0.3;
/** Each new student leaves states, a row in the table of producers, and counts of limits; all else may take `always`. */
const MOST_HEAP_KB = { always: 8 * 1024, ofStudent: 3 };
const MOST_LEFT = 4;
const SHOWN = 5;

/** Ends of step 4 of delivery.md §4 and before: what ended so never passed the envelope. */
const BEFORE_EVENTS = new Set<string>([
  ...[
    'not-utf8',
    'binary-unexpected',
    'not-json',
    'too-deep',
    'too-many-keys',
    'string-too-long',
    'forbidden-key',
  ],
  ...['lone-surrogate', 'not-a-batch', 'version-unknown', 'field-missing', 'field-wrong', 'batch-empty'],
  ...['batch-too-long', 'seq-invalid', 'invalid', 'unauthenticated', 'event-too-big', 'silent'],
]);
const CODES = new Set<string>([...BAD_CODES, ...DECLINED_CODES, ...REFUSED_CODES, ...REQUEST_CODES]);

/** Prints what was found; true when nothing is wrong. */
export function judge(findings: Findings): boolean {
  const { results, patient, world, before, after, found } = findings;
  const sum = (of: (result: KindResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const codes = [...world.heard.keys()].filter((code) => CODES.has(code) || code.startsWith('close '));
  const unanswered = sum((result) => result.unanswered);
  const passed = passedShare(results);
  const unended = conservation(findings);
  const grownMb = after.heapMb - before.heapMb;
  const students = after.students - before.students;
  const figures: readonly (readonly [string, number, string])[] = [
    ['fuzz.inputs', sum(({ inputs }) => inputs), 'inputs'],
    ['fuzz.kinds', results.length + patient.length, 'kinds'],
    ['fuzz.codes-seen', codes.length, 'codes'],
    ['fuzz.unanswered', unanswered, 'inputs'],
    ['fuzz.lost', found.lost.length, 'events'],
    ['fuzz.good-stored', world.ledger.good.size, 'events'],
    ['fuzz.unaccounted', unended, 'events'],
    ['fuzz.passed-envelope', Math.round(passed * 1000) / 10, '%'],
    ['fuzz.students', students, 'students'],
    ['fuzz.heap-growth', Math.round(grownMb * 10) / 10, 'MiB'],
    ['fuzz.descriptors-left', after.descriptors - before.descriptors, 'descriptors'],
    ['fuzz.timers-left', after.timers - before.timers, 'timers'],
    ['fuzz.seconds', Math.round(findings.seconds), 's'],
  ];
  for (const [name, value, unit] of figures) console.log(`figure ${name} ${value} ${unit}`);
  const wrong = [
    ...found.lost.slice(0, SHOWN),
    ...world.ledger.complaints.slice(0, SHOWN),
    ...(unended === 0 ? [] : [`${unended} events have no end, or two, or are not in the archive`]),
    ...(findings.exitCode === 0 ? [] : [`the server ended with ${findings.exitCode}: ${findings.said}`]),
    ...(grownMb * 1024 > MOST_HEAP_KB.always + MOST_HEAP_KB.ofStudent * students ? ['the heap grew'] : []),
    ...(after.descriptors - before.descriptors > MOST_LEFT ? ['descriptors were left open'] : []),
    ...(after.timers - before.timers > MOST_LEFT ? ['timers were left running'] : []),
    ...(findings.isWhole ? wholeWrong(results.length + patient.length, codes.length, passed) : []),
  ];
  const failed = results.filter((result) => result.unanswered > 0 || result.wrong.length > 0);
  for (const { kind, unanswered: silent, wrong: sentences } of failed) {
    console.log(
      `FAILED ${kind.group}: ${kind.name}: ${silent} unanswered; ${sentences.slice(0, SHOWN).join('; ')}`,
    );
  }
  const impatient = patient.filter(({ isRight }) => !isRight);
  for (const { name } of impatient) console.log(`FAILED slow: ${name}`);
  for (const sentence of wrong) console.log(`FAILED ${sentence}`);
  const all = results.length + patient.length;
  const count = failed.length + impatient.length;
  console.log(`\n${all - count} passed, ${count + (wrong.length > 0 ? 1 : 0)} failed`);
  return count === 0 && wrong.length === 0;
}

function wholeWrong(kinds: number, codes: number, passed: number): string[] {
  return [
    ...(kinds < LEAST_KINDS ? [`only ${kinds} kinds`] : []),
    ...(codes < LEAST_CODES ? [`only ${codes} codes were heard`] : []),
    ...(passed < LEAST_PASSED ? ['too few mutants of the envelope passed it'] : []),
  ];
}

function passedShare(results: readonly KindResult[]): number {
  let all = 0;
  let passed = 0;
  for (const { kind, ends } of results) {
    if (kind.group !== 'envelope') continue;
    for (const [end, count] of ends) {
      all += count;
      if (!BEFORE_EVENTS.has(end)) passed += count;
    }
  }
  return all === 0 ? 0 : passed / all;
}

/** What came in less what ended, over all edges, and stored events less those in the archive: both 0. */
function conservation({ after, found }: Findings): number {
  let open = 0;
  let stored = 0;
  for (const edge of Object.values(after.counts.edges)) {
    const { received, duplicate, bad, declined, refused } = edge;
    stored += edge.stored;
    open += Math.abs(received - edge.stored - duplicate - bad - declined - refused);
  }
  return open + Math.abs(stored - found.stored);
}
