import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { AppError } from '#server/errors.ts';
import type { SimulatedDocument } from './documents.ts';
import type { IngestClient } from './ingest-client.ts';

const trace = z.object({
  startContent: z.literal(''),
  endContent: z.string(),
  txns: z.array(
    z.object({
      timestamp: z.unknown().optional(),
      patches: z.array(z.tuple([z.number(), z.number(), z.string()])),
    }),
  ),
});
export type Trace = z.output<typeof trace>;

/** Reads a recorded editing history, `.json` or `.json.gz`. Throws `invalid` for anything else. */
export async function readTrace(path: string): Promise<Trace> {
  const bytes = await readFile(path);
  const text = path.endsWith('.gz')
    ? (await promisify(gunzip)(bytes)).toString('utf8')
    : bytes.toString('utf8');
  const parsed = trace.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new AppError(
      'invalid',
      `no editing trace: ${parsed.error.issues[0]?.message ?? ''} at ${parsed.error.issues[0]?.path.join('.') ?? ''}`,
    );
  return parsed.data;
}

const WINDOW = 256;

/**
 * Plays a history as an editor would save it: `perSave` transactions an event, as fast as the server takes them (its
 * rates per student hold). Resolves when all are stored.
 */
export async function playTrace({
  client,
  document,
  trace,
  perSave,
  clock = Date.now,
}: {
  readonly client: IngestClient;
  readonly document: SimulatedDocument;
  readonly trace: Trace;
  readonly perSave: number;
  readonly clock?: () => number;
}): Promise<{ readonly events: number }> {
  let events = 0;
  for (let from = 0; from < trace.txns.length; from += perSave) {
    if (client.waiting() >= WINDOW) await client.settled();
    const patches = trace.txns.slice(from, from + perSave).flatMap((transaction) => transaction.patches);
    document.replace(
      patches.map(([pos, cut, put]) => ({ pos, cut, put })),
      clock(),
    );
    events += 1;
  }
  await client.settled();
  return { events };
}
