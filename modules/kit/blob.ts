import { z } from 'zod';
import { defineEventSource } from './event-source.ts';
import { defineReducer } from './reducer.ts';
import { keyField, scope, student } from './scope.ts';

/** What activities of the predecessor's protocol keep for themselves (wire.md §A9); written by the server, one event a save. */
export const blobs = defineEventSource({
  name: 'blob',
  isInternal: true,
  events: {
    /** `tool`: the source that saved it. `json`: the value as JSON text, so that nothing in it can look like a state's own text. */
    saved: z.object({ tool: z.string(), activity: z.string(), json: z.string() }),
  },
});

const tool = keyField('tool', (event: { tool: string }) => event.tool);
const activity = keyField('activity', (event: { activity: string }) => event.activity);

/** The JSON text that an activity saved last; null: nothing yet. */
export const blob = defineReducer({
  name: 'blob',
  source: blobs,
  scope: scope(student, tool, activity),
  initial: null as string | null,
  on: { saved: (_before, event) => event.json },
});
