import { expect, test } from 'vitest';
import { HABITS, habitOf, pupil, type Step } from './pupil.ts';
import { seededRandom } from './random.ts';

function* take<T>(steps: Generator<T>, count: number): Generator<T> {
  for (const step of steps) {
    if (count-- <= 0) return;
    yield step;
  }
}

function textAfter(steps: readonly Step[]): string {
  let text = '';
  for (const { act } of steps) {
    if (act.do !== 'edit' && act.do !== 'paste') continue;
    expect(act.pos).toBeGreaterThanOrEqual(0);
    expect(act.pos + act.cut).toBeLessThanOrEqual(text.length);
    text = text.slice(0, act.pos) + act.put + text.slice(act.pos + act.cut);
  }
  return text;
}

test.each(HABITS.filter((habit) => habit !== 'never-starts'))(
  'a pupil who %s writes a text within its own bounds',
  (habit) => {
    const steps = [...take(pupil(habit, seededRandom(7)), 600)];
    expect(textAfter(steps).split(/\s+/).length).toBeGreaterThan(60);
    expect(steps.every((step) => step.afterMs > 0)).toBe(true);
  },
);

test('a seed repeats a pupil, another seed is another pupil', () => {
  const play = (seed: number) => textAfter([...take(pupil('revises', seededRandom(seed)), 300)]);
  expect(play(3)).toBe(play(3));
  expect(play(3)).not.toBe(play(4));
});

test('a class of thirty has one who never starts and one who loses the network', () => {
  const habits = Array.from({ length: 30 }, (_, index) => habitOf(index));
  expect(habits.filter((habit) => habit === 'never-starts')).toHaveLength(1);
  expect(habits.filter((habit) => habit === 'loses-network')).toHaveLength(1);
  for (const habit of HABITS) expect(habits).toContain(habit);
});

test('each habit shows: a paste over 200 characters, a tab that is left, a network that goes', () => {
  const acts = (habit: (typeof HABITS)[number]) =>
    [...take(pupil(habit, seededRandom(5)), 3000)].map((step) => step.act);
  expect(acts('pastes').some((act) => act.do === 'paste' && act.put.length >= 200)).toBe(true);
  expect(acts('leaves').some((act) => act.do === 'visible' && !act.visible)).toBe(true);
  expect(acts('loses-network').some((act) => act.do === 'network' && !act.isUp)).toBe(true);
  expect(acts('never-starts').some((act) => act.do === 'edit')).toBe(false);
});
