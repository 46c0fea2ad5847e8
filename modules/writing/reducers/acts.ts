import { defineReducer, queue, scope, student } from '#modules/kit/index.ts';

const MAX_CAUSES = 16;
const MAX_HELPED = 50;
const CAUSE_CHARACTERS = 40;

/** What a teacher did about a cause: `at` and (snoozed) `until` in ms. */
export type Act = {
  readonly did: 'seen' | 'snoozed' | 'helped';
  readonly at: number;
  readonly until: number | null;
};

/** The latest act per cause, newest last; `helped`: when, in ms, for the ticks of the timeline. */
type State = {
  readonly byCause: readonly (readonly [cause: string, act: Act])[];
  readonly helped: readonly number[];
};
const initial: State = { byCause: [], helped: [] };

function put(state: State, raw: string, act: Act): State {
  const cause = raw.slice(0, CAUSE_CHARACTERS);
  const others = state.byCause.filter(([name]) => name !== cause);
  const helped = act.did === 'helped' ? [...state.helped, act.at].slice(-MAX_HELPED) : state.helped;
  return { byCause: [...others, [cause, act] as const].slice(-MAX_CAUSES), helped };
}

/** What teachers did about a student in the *needs me* queue; co-teachers see the same. */
export const acts = defineReducer({
  name: 'acts',
  source: queue,
  scope: scope(student),
  initial,
  on: {
    seen: (state, { cause, at }) => put(state, cause, { did: 'seen', at, until: null }),
    snoozed: (state, { cause, at, ms }) => put(state, cause, { did: 'snoozed', at, until: at + ms }),
    helped: (state, { cause, at }) => put(state, cause, { did: 'helped', at, until: null }),
  },
});
