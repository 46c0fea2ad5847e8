import { expect, test } from 'vitest';
import { judge } from './judge.ts';
import { readReport, type TestRun } from './run-tests.ts';

const green = new Map([['a.test.ts › holds', 5]]);
const run = (more: Partial<TestRun>): TestRun => ({ ends: [], broken: [], isOver: true, ...more });
const failed = (message: string, test = 'a.test.ts › holds') =>
  run({ ends: [{ test, status: 'failed', ms: 5, messages: [message] }] });

test('a test that was green and fails by what it expects, or by its time, kills', () => {
  const killed = { end: 'killed', by: 'a.test.ts › holds' };
  expect(judge(failed('AssertionError: expected 1 to be 2'), green)).toEqual(killed);
  expect(judge(failed('Error: Test timed out in 5000ms.'), green)).toEqual(killed);
});

test('a test that was red anyway kills nothing', () => {
  const why = 'a.test.ts › fails always is not green without a sabotage either';
  expect(judge(failed('AssertionError', 'a.test.ts › fails always'), green)).toEqual({ end: 'invalid', why });
});

test.each([
  'SyntaxError: Unexpected token',
  'ReferenceError: x is not defined',
  "Error: Cannot find module '#server/nothing.ts'",
  'TypeError: openNothing is not a function',
])('a sabotage that does not run kills nothing: %s', (message) => {
  expect(judge(failed(message), green).end).toBe('invalid');
});

test('a file that never began, a run that never ended and a run of nothing prove nothing', () => {
  expect(judge(run({ broken: ['a.test.ts'] }), green).end).toBe('invalid');
  expect(judge(run({ isOver: false }), green).end).toBe('invalid');
  expect(judge(run({ ends: [{ test: 'a', status: 'skipped', ms: 0, messages: [] }] }), green).end).toBe(
    'invalid',
  );
});

test('where all that ran is green the mutant has survived', () => {
  const ends = [{ test: 'a.test.ts › holds', status: 'passed' as const, ms: 5, messages: [] }];
  expect(judge(run({ ends }), green)).toEqual({ end: 'survived' });
});

test('a file that failed without a failed test is told apart in the report', () => {
  const passed = { fullName: 'holds', status: 'passed' };
  const lost = { fullName: 'holds', status: 'pending' };
  const text = JSON.stringify({
    testResults: [
      { name: '/tree/a.test.ts', status: 'passed', assertionResults: [passed] },
      { name: '/tree/b.test.ts', status: 'failed', assertionResults: [] },
      { name: '/tree/c.test.ts', status: 'failed', assertionResults: [lost] },
    ],
  });
  const report = readReport(text, '/tree');
  expect(report.broken).toEqual(['b.test.ts', 'c.test.ts']);
  expect(report.ends.map(({ test, status }) => `${test} ${status}`)).toEqual([
    'a.test.ts › holds passed',
    'c.test.ts › holds skipped',
  ]);
});
