import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { doc, fuzz } from './events.ts';

export const marks = defineReducer({
  name: 'fuzz-marks',
  source: fuzz,
  scope: scope(student, doc),
  initial: { n: 0 },
  on: { mark: ({ n }) => ({ n: n + 1 }), grow: ({ n }) => ({ n: n + 1 }) },
});

const MORE_THAN_A_STATE_MAY_HOLD = 5 * 1024 * 1024;

/** Keeps none of its author's duties. */
export const careless = defineReducer({
  name: 'fuzz-careless',
  source: fuzz,
  scope: scope(student, doc),
  initial: '',
  on: {
    throw: () => {
      throw new Error('a reducer of the fuzz test failed');
    },
    odd: () => new Map() as unknown as string,
    grow: () => 'x'.repeat(MORE_THAN_A_STATE_MAY_HOLD),
  },
});
