import { client, defineReducer, scope, student } from '#modules/kit/index.ts';

/** `count`: events that a client says it could not keep; `last`: when it said so, server time, ms. */
type State = { readonly count: number; readonly last: number | null };
const initial: State = { count: 0, last: null };

/** What a student's tool had to give up, full or refused. */
export const captureGaps = defineReducer({
  name: 'capture-gaps',
  source: client,
  scope: scope(student),
  initial,
  on: { 'capture-gap': (state, { count, at }) => ({ count: state.count + count, last: at }) },
});
