import { connection } from './built-in.ts';
import { defineReducer } from './reducer.ts';
import { scope, student } from './scope.ts';

const MOST = 80;

/** The student's connections that stand, oldest first: what a start after a crash has to end. */
export const openConnections = defineReducer({
  name: 'open-connections',
  source: connection,
  scope: scope(student),
  initial: { open: [] as readonly string[] },
  on: {
    connected: ({ open }, event) => ({
      open: [...open.filter((id) => id !== event.connection), event.connection].slice(-MOST),
    }),
    disconnected: (state, event) =>
      state.open.includes(event.connection)
        ? { open: state.open.filter((id) => id !== event.connection) }
        : state,
  },
});
