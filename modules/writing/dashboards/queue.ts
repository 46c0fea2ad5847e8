import { binsAt, slotOf, sumOf } from './bins.ts';
import type { ClassParams } from './class-row.ts';
import type { Prepared } from './prepare.ts';
import type { Cause, Word } from './state-word.ts';

/** One line of *Needs me*. `id` null: a line about the class. `since`: ms. */
export type QueueLine = {
  readonly id: string | null;
  readonly name: string;
  readonly word: Word;
  readonly chip: string;
  readonly sentence: string;
  readonly since: number | null;
  readonly rule: string;
};

const CLASS_SHARE = 0.4;
const CLASS_LEAST = 4;
const GROUPS: readonly (readonly Cause[])[] = [
  ['stalled', 'circling', 'waiting'],
  ['not started'],
  ['long quiet'],
];

/**
 * Who waits for the teacher, newest first. Where more than 40 % of a class share a reason they are one line, because
 * then it is about the lesson and not about a student.
 */
export function queueOf(
  students: readonly Prepared[],
  params: ClassParams,
  now: number,
  timeOf: (ms: number) => string,
): readonly QueueLine[] {
  return GROUPS.flatMap((causes) => {
    const group = students.filter(({ state }) => state.cause !== null && causes.includes(state.cause));
    if (isTheClass(group.length, students.length)) return [classLine(group, causes, params)];
    return group
      .map((student) => lineOf(student, params, now, timeOf))
      .sort((a, b) => (b.since ?? now) - (a.since ?? now));
  });
}

const isTheClass = (count: number, all: number) => count >= CLASS_LEAST && count > all * CLASS_SHARE;

/** Ids of those who have a line of their own. */
export function waitingIds(lines: readonly QueueLine[]): ReadonlySet<string> {
  return new Set(lines.flatMap(({ id }) => (id === null ? [] : [id])));
}

function classLine(group: readonly Prepared[], causes: readonly Cause[], params: ClassParams): QueueLine {
  const word = group[0]?.state.word ?? 'quiet';
  const cause = causes[0] ?? 'long quiet';
  return {
    id: null,
    name: 'The class',
    word,
    chip: `${group.length} ${word === 'needs a look' ? 'need a look' : word}`,
    sentence:
      cause === 'long quiet' ? `${group.length} quiet — a break?` : CLASS_SENTENCE(group.length, word),
    since: null,
    rule:
      cause === 'long quiet' || cause === 'not started'
        ? ruleOf(cause, params)
        : 'more than 40 % of the class',
  };
}

const CLASS_SENTENCE = (count: number, word: Word) =>
  word === 'not started' ? `${count} have not started yet.` : `${count} need a look at the same time.`;

function lineOf(
  { row, state }: Prepared,
  params: ClassParams,
  now: number,
  timeOf: (ms: number) => string,
): QueueLine {
  const cause = state.cause ?? 'long quiet';
  const minutes = state.since === null ? 0 : Math.floor((now - state.since) / 60_000);
  const [added, removed, , , active] = sumOf(binsAt(row, slotOf(now), 10));
  const sentences: Readonly<Record<Cause, string>> = {
    stalled: `Active ${active} s of the last 5 min, ${added + removed} characters changed.`,
    circling: 'Deleted and retyped at one place three times.',
    waiting: `In the document, nothing inserted for ${minutes} min.`,
    'not started': 'Nothing written since the lesson began.',
    'long quiet': `Last change at ${timeOf(state.since ?? now)}, after ${row.words.toLocaleString('en')} words.`,
  };
  return {
    id: row.student.id,
    name: row.student.name,
    word: state.word,
    chip: state.word === 'quiet' ? `quiet ${minutes} min` : state.word,
    sentence: sentences[cause],
    since: state.since,
    rule: ruleOf(cause, params),
  };
}

function ruleOf(cause: Cause, params: ClassParams): string {
  const rules: Readonly<Record<Cause, string>> = {
    stalled: 'from 60 s active, under 50 characters, at most 5 words more',
    circling: '3 times in 5 min within 100 characters',
    waiting: '5 min 20 s in the document',
    'not started': `${params.notStartedAfterMinutes} min`,
    'long quiet': `${params.queueQuietMinutes} min`,
  };
  return rules[cause];
}
