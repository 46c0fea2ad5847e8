import { z } from 'zod';
import { defineEventSource, keyField } from '#modules/kit/index.ts';

const mark = { doc: z.string(), n: z.number(), tag: z.string() };

/** `mark` is a good event; `throw`, `odd` and `grow` are good events that a reducer fails at; `secret` must not be collected. */
export const fuzz = defineEventSource({
  name: 'fuzz',
  declines: ['secret'],
  events: {
    mark: z.object({ ...mark, text: z.string().optional() }),
    throw: z.object(mark),
    odd: z.object(mark),
    grow: z.object(mark),
    secret: z.object({}),
  },
});

export const doc = keyField('doc', (event: { doc: string }) => event.doc);
