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

/** Plays every transaction as one event, as fast as the server takes them; resolves when all are stored. */
export async function playTrace({
  client,
  document,
  trace,
  clock = Date.now,
  from = 0,
}: {
  readonly client: IngestClient;
  readonly document: SimulatedDocument;
  readonly trace: Trace;
  readonly clock?: () => number;
  /** Transactions to skip: those that an earlier run has stored. */
  readonly from?: number;
}): Promise<{ readonly events: number }> {
  let events = 0;
  for (const { patches } of trace.txns.slice(from)) {
    if (client.waiting() >= WINDOW) await client.settled();
    document.replace(
      patches.map(([pos, cut, put]) => ({ pos, cut, put })),
      clock(),
    );
    events += 1;
  }
  await client.settled();
  return { events };
}
