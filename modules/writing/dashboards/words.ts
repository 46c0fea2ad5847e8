import type { Tone } from '#app/ui/chip.tsx';
import type { IconName } from '#app/ui/icons.tsx';
import type { Word } from './state-word.ts';

/** The words of the class bar in its order; the key of each is its place, from 1. *No analysis* counts as no signal. */
export const COUNTED = [
  'writing',
  'quiet',
  'revising',
  'not started',
  'needs a look',
  'no signal',
] as const satisfies readonly Word[];
export type Counted = (typeof COUNTED)[number];

export const countedAs = (word: Word): Counted => (word === 'no analysis' ? 'no signal' : word);

export const LOOK_OF: Readonly<Record<Word, { readonly tone: Tone; readonly icon: IconName }>> = {
  writing: { tone: 'writing', icon: 'pencil-line' },
  revising: { tone: 'revising', icon: 'undo-2' },
  quiet: { tone: 'quiet', icon: 'pause' },
  'needs a look': { tone: 'look', icon: 'eye' },
  'not started': { tone: 'notstarted', icon: 'circle-dashed' },
  'no signal': { tone: 'nosignal', icon: 'wifi-off' },
  'no analysis': { tone: 'noanalysis', icon: 'circle-slash' },
};
