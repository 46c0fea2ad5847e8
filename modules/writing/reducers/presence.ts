import { connection, defineReducer, scope, student } from '#modules/kit/index.ts';
import { firstOfDay } from '../day.ts';

const MAX_SOCKETS = 80;
/** A pause without an end, in ms: the last time that a date can hold. */
export const WITHOUT_END = 8_640_000_000_000_000;

/**
 * Times in ms. `open`: the connections that stand. `lost`: when the last of them ended, null while one stands. `day`:
 * the first signal of the day, `heard` the latest word about connections. `gone`: events that a client no longer held.
 */
type State = {
  readonly open: readonly string[];
  readonly lost: number | null;
  readonly heard: number | null;
  readonly day: number | null;
  readonly identity: 'verified' | 'claimed' | null;
  readonly client: { readonly [field: string]: string };
  readonly paused: number | null;
  readonly gone: number;
};
const initial: State = {
  open: [],
  lost: null,
  heard: null,
  day: null,
  identity: null,
  client: {},
  paused: null,
  gone: 0,
};

const heardAt = (state: State, at: number) => ({ heard: at, day: firstOfDay(state.day, state.heard, at) });

function clientOf(client: { readonly [field: string]: unknown } | undefined): { [field: string]: string } {
  const named = Object.entries(client ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(
    named.slice(0, 8).map(([field, value]) => [field.slice(0, 40), value.slice(0, 200)]),
  );
}

/** Whether a student's tool is connected, since when not, and whether its owner paused it. Changes only with connections. */
export const presence = defineReducer({
  name: 'presence',
  source: connection,
  scope: scope(student),
  initial,
  on: {
    connected: (state, event) => ({
      ...state,
      ...heardAt(state, event.at),
      open: [...state.open.filter((id) => id !== event.connection), event.connection].slice(-MAX_SOCKETS),
      lost: null,
      identity: event.identity,
      client: event.client ? clientOf(event.client) : state.client,
    }),
    disconnected: (state, event) => {
      const open = state.open.filter((id) => id !== event.connection);
      if (open.length === state.open.length) return state;
      return { ...state, ...heardAt(state, event.at), open, lost: open.length === 0 ? event.at : null };
    },
    paused: (state, event) => ({ ...state, ...heardAt(state, event.at), paused: event.until ?? WITHOUT_END }),
    resumed: (state, event) => ({ ...state, ...heardAt(state, event.at), paused: null }),
    lost: (state, event) => ({ ...state, gone: state.gone + event.count }),
  },
});
