import type { TestRun } from './run-tests.ts';

export type Verdict =
  | { readonly end: 'killed'; readonly by: string }
  | { readonly end: 'survived' }
  /** Nothing can be said: the sabotage does not run at all, or the tests did not end. */
  | { readonly end: 'invalid'; readonly why: string };

/** A program that does not parse, or names what is not there, is found by any test: that proves nothing. */
const NOT_RUNNING =
  /SyntaxError|ReferenceError|Transform failed|Cannot find (module|package)|Failed to (load|resolve)|is not a function|is not a constructor/;

/** `green`: tests that pass without a sabotage, and their milliseconds. Killed is a mutant by a test that was green before and now fails by what it says or by its time. */
export function judge(run: TestRun, green: ReadonlyMap<string, number>): Verdict {
  const failed = run.ends.filter(({ status }) => status === 'failed');
  const killer = failed.find(
    ({ test, messages }) => green.has(test) && !messages.some((one) => NOT_RUNNING.test(one)),
  );
  if (killer) return { end: 'killed', by: killer.test };
  if (!run.isOver) return { end: 'invalid', why: 'the tests did not end' };
  const [unloaded] = run.broken;
  if (unloaded !== undefined) return { end: 'invalid', why: `${unloaded} did not begin` };
  const [other] = failed;
  if (other)
    return {
      end: 'invalid',
      why: green.has(other.test)
        ? `it does not run: ${firstLine(other.messages)}`
        : `${other.test} is not green without a sabotage either`,
    };
  if (!run.ends.some(({ status }) => status === 'passed')) return { end: 'invalid', why: 'no test was run' };
  return { end: 'survived' };
}

function firstLine(messages: readonly string[]): string {
  return messages[0]?.split('\n')[0] ?? '';
}
