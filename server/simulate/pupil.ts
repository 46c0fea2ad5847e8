import { BORROWED, inventEssay } from './essays.ts';
import type { Random } from './random.ts';

/** One replacement in the text: at `pos` `cut` characters go and `put` comes. */
export type Replace = { readonly pos: number; readonly cut: number; readonly put: string };
export type Act =
  | ({ readonly do: 'edit' | 'paste' } & Replace)
  | { readonly do: 'focus'; readonly focused: boolean }
  | { readonly do: 'visible'; readonly visible: boolean }
  | { readonly do: 'network'; readonly isUp: boolean };
/** What a pupil does next, and how long after the act before it, in ms. */
export type Step = { readonly afterMs: number; readonly act: Act };

export const HABITS = [
  'steady',
  'bursts',
  'revises',
  'pastes',
  'leaves',
  'slow',
  'circles',
  'never-starts',
  'loses-network',
] as const;
export type Habit = (typeof HABITS)[number];

/** A class of thirty has one who never starts and one who loses the network; most just write. */
export function habitOf(index: number): Habit {
  const special: Readonly<Record<number, Habit>> = {
    4: 'revises',
    6: 'circles',
    8: 'slow',
    11: 'loses-network',
    14: 'revises',
    15: 'never-starts',
    19: 'leaves',
    22: 'slow',
    24: 'revises',
    26: 'pastes',
  };
  return special[index % 30] ?? (index % 2 === 0 ? 'steady' : 'bursts');
}

/** Plays a pupil without end. Pure but for the given randomness: a seed gives the same pupil. */
export function* pupil(habit: Habit, random: Random): Generator<Step, void> {
  if (habit === 'never-starts') {
    yield { afterMs: 2000, act: { do: 'focus', focused: true } };
    return;
  }
  let text = '';
  const change = (replace: Replace, kind: 'edit' | 'paste' = 'edit'): Act => {
    text = text.slice(0, replace.pos) + replace.put + text.slice(replace.pos + replace.cut);
    return { do: kind, ...replace };
  };
  yield { afterMs: random.between(500, 6000), act: { do: 'focus', focused: true } };
  for (let essay = 0; essay < 4; essay++) {
    const target = (essay > 0 ? '\n\n' : '') + inventEssay(random);
    let written = 0;
    while (written < target.length) {
      const piece = nextPiece(target, written, random);
      yield {
        afterMs: pauseBefore(text, habit, random),
        act: change({ pos: text.length, cut: 0, put: piece }),
      };
      written += piece.length;
      yield* aside(habit, random, () => text, change);
    }
  }
  while (true) yield* revise(random, () => text, change, 20_000);
}

/** Two to five letters, never over a word's end: what arrives between two looks at a screen. */
function nextPiece(target: string, from: number, random: Random): string {
  const piece = target.slice(from, from + 2 + random.below(4));
  const space = piece.search(/\s/);
  return space > 0 ? piece.slice(0, space) : piece.slice(0, space === 0 ? 1 : undefined);
}

function pauseBefore(text: string, habit: Habit, random: Random): number {
  const pace = habit === 'slow' ? 5 : habit === 'bursts' ? 1.5 : 2.2;
  const last = text.at(-1);
  if (last === '\n') return pace * random.between(3000, 15_000);
  if (last === ' ' && /[.!?] $/.test(text))
    return pace * random.between(1200, habit === 'bursts' ? 20_000 : 5000);
  if (habit === 'slow' && random.next() < 0.012) return random.between(140_000, 330_000);
  return pace * random.between(250, last === ' ' ? 900 : 600);
}

/** What comes between two pieces, now and then. */
function* aside(habit: Habit, random: Random, read: () => string, change: Changes): Generator<Step, void> {
  const chance = random.next();
  if (chance < 0.02) yield* fixTypo(random, read, change);
  else if (habit === 'revises' && chance < 0.08) yield* revise(random, read, change, 1500);
  else if (habit === 'circles' && read().length > 120 && chance < 0.06) yield* circle(random, read, change);
  else if (habit === 'pastes' && read().length > 150 && !read().includes(BORROWED))
    yield { afterMs: 8000, act: change({ pos: read().length, cut: 0, put: `${BORROWED} ` }, 'paste') };
  else if (habit === 'leaves' && chance < 0.025) yield* leave(random);
  else if (habit === 'loses-network' && read().length > 200 && chance < 0.03) {
    yield { afterMs: 500, act: { do: 'network', isUp: false } };
    yield { afterMs: random.between(60_000, 240_000), act: { do: 'network', isUp: true } };
  }
}

type Changes = (replace: Replace, kind?: 'edit' | 'paste') => Act;

function* fixTypo(random: Random, read: () => string, change: Changes): Generator<Step, void> {
  const slip = random.pick(['e', 'n', 'r', 't']);
  yield { afterMs: random.between(120, 300), act: change({ pos: read().length, cut: 0, put: slip }) };
  yield { afterMs: random.between(300, 900), act: change({ pos: read().length - 1, cut: 1, put: '' }) };
}

const ADVERBS = ['often ', 'almost ', 'still ', 'really ', 'sometimes ', ''] as const;

/** Goes back into the text, takes words out and writes them again, mostly in another way; never twice near one place. */
function* revise(random: Random, read: () => string, change: Changes, restMs: number): Generator<Step, void> {
  const places = random
    .shuffled([...read().matchAll(/\b[a-z]{4,}\b/g)])
    .filter((word, i, all) => all.slice(0, i).every((other) => Math.abs(other.index - word.index) > 150))
    .slice(0, 2);
  for (const { 0: word, index } of places) {
    const pos = read().indexOf(word, Math.max(0, index - 30));
    if (pos < 0) continue;
    yield {
      afterMs: random.between(restMs, restMs * 3),
      act: change({ pos, cut: word.length, put: '' }),
    };
    yield {
      afterMs: random.between(900, 2600),
      act: change({ pos, cut: 0, put: `${random.pick(ADVERBS)}${word}` }),
    };
  }
  // Whatever it found to change, a look back takes its time.
  yield { afterMs: random.between(restMs, restMs * 2), act: { do: 'focus', focused: true } };
}

/** Deletes and retypes the same place three times. */
function* circle(random: Random, read: () => string, change: Changes): Generator<Step, void> {
  for (const attempt of ['however', 'although', 'because']) {
    yield { afterMs: random.between(800, 2500), act: change({ pos: read().length, cut: 0, put: attempt }) };
    yield {
      afterMs: random.between(4000, 12_000),
      act: change({ pos: read().length - attempt.length, cut: attempt.length, put: '' }),
    };
    yield { afterMs: random.between(1500, 5000), act: change({ pos: read().length, cut: 0, put: 'and ' }) };
  }
}

function* leave(random: Random): Generator<Step, void> {
  yield { afterMs: 800, act: { do: 'visible', visible: false } };
  yield { afterMs: random.between(40_000, 200_000), act: { do: 'visible', visible: true } };
}
