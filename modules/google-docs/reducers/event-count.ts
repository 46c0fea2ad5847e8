import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { googleDocs } from '../events.ts';

/** `first` and `last`: server time, ms. */
type State = {
  readonly count: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly byEvent: { readonly [event: string]: number };
};
const initial: State = { count: 0, first: null, last: null, byEvent: {} };

function step(state: State, { event, at }: { readonly event: string; readonly at: number }): State {
  const { count, first, byEvent } = state;
  return {
    count: count + 1,
    first: first ?? at,
    last: at,
    byEvent: { ...byEvent, [event]: (byEvent[event] ?? 0) + 1 },
  };
}

/** How many events a student's extension reported, by name: to see that nothing is lost. */
export const eventCount = defineReducer({
  name: 'event-count',
  source: googleDocs,
  scope: scope(student),
  initial,
  on: {
    google_docs_save: step,
    google_docs_save_extra: step,
    document_loaded: step,
    document_history: step,
    google_document_history_error: step,
    keystroke: step,
    mouseclick: step,
    attention: step,
    visibility: step,
    extension_loaded: step,
    debug: step,
    BROWSER_INFO: step,
    metadata_finished: step,
  },
});
