import { z } from 'zod';
import { blobs } from './blob.ts';
import { defineEventSource } from './event-source.ts';

/** Written by the server about a student's connections, so that *no signal* is folded like everything else. */
export const connection = defineEventSource({
  name: 'connection',
  isInternal: true,
  events: {
    connected: z.object({
      connection: z.string(),
      edge: z.enum(['socket', 'learning-observer', 'http']),
      identity: z.enum(['verified', 'claimed']),
      client: z.record(z.string(), z.json()).optional(),
    }),
    disconnected: z.object({ connection: z.string(), reason: z.string() }),
    paused: z.object({ until: z.number().optional() }),
    resumed: z.object({}),
    /** The client no longer held `count` events that the server had not seen. */
    lost: z.object({ count: z.number().int() }),
  },
});

/** What a teacher does in the needs-me queue, and a student's word on a flag; `actor` is the person who did it. */
export const queue = defineEventSource({
  name: 'queue',
  isInternal: true,
  events: {
    seen: z.object({ cause: z.string(), actor: z.string() }),
    snoozed: z.object({ cause: z.string(), actor: z.string(), ms: z.number() }),
    helped: z.object({ cause: z.string(), actor: z.string() }),
    noted: z.object({ cause: z.string(), text: z.string() }),
  },
});

/** What a client reports about itself. */
export const client = defineEventSource({
  name: 'client',
  events: { 'capture-gap': z.object({ from: z.number(), to: z.number(), count: z.number().int() }) },
});

/** The sources that exist without any module. */
export const builtInSources = [connection, queue, client, blobs] as const;
