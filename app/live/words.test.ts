import { expect, test } from 'vitest';
import { bareWords, channelWords, endWords, lostWords, splitRows } from './words.ts';

const person = (id: string) => ({ student: { id, name: `${id}.` } });

test('not allowed and not there are said with the same words', () => {
  expect(endWords({ code: 'not-found', message: 'a' })).toEqual(
    endWords({ code: 'not-found', message: 'b' }),
  );
});

test('a wrong setting is said with the name of its field', () => {
  expect(endWords({ code: 'invalid', message: 'params.quietAfterSeconds is wrong' }).rest).toContain(
    'quietAfterSeconds',
  );
});

test('the time of the last row is told in the time zone of the class', () => {
  const at = Date.UTC(2026, 10, 21, 9, 42, 7);
  expect(lostWords(at, 'Europe/Berlin').rest).toContain('10:42:07');
  expect(lostWords(at, 'America/New_York').rest).toContain('04:42:07');
});

test('a late channel says by how many seconds', () => {
  expect(channelWords({ code: 'delayed', since: 1000 }, 8400)?.fact).toBe('Delayed by 7 s.');
  expect(channelWords(undefined, 0)).toBeNull();
});

test('students of whom nothing could be worked out are named, not drawn; all other rows stay the same list', () => {
  const rows = [{ ...person('ada'), words: 1 }, person('bo')];
  const { drawn, bare } = splitRows(rows);
  expect(drawn).toEqual([rows[0]]);
  expect(bareWords(bare)?.fact).toBe('No analysis yet of bo..');
  const whole = rows.slice(0, 1);
  expect(splitRows(whole).drawn).toBe(whole);
  expect(bareWords([])).toBeNull();
});
