import { z } from 'zod';
import { defineEventSource, keyField } from '#modules/kit/index.ts';

/** `mark` is only counted, `ripple` starts a cascade, `secret` must not be collected. `tag`: how a client without ids knows its event again. */
export const proof = defineEventSource({
  name: 'proof',
  declines: ['secret'],
  events: {
    mark: z.object({ doc: z.string(), n: z.number(), text: z.string(), tag: z.string().optional() }),
    ripple: z.object({ doc: z.string(), n: z.number(), text: z.string(), tag: z.string().optional() }),
    secret: z.object({}),
  },
});

export const proofEcho = defineEventSource({
  name: 'proof-echo',
  isInternal: true,
  events: { echo: z.object({ doc: z.string(), n: z.number() }) },
});

export const doc = keyField('doc', (event: { doc: string }) => event.doc);
