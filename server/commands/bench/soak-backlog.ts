import { createPrivateKey } from 'node:crypto';
import { openIngestClient } from '#server/simulate/ingest-client.ts';
import { openLoad } from './ingest-load.ts';
import { batchOf, type Heard, heardFrom, startServer, tokenOf, typing } from './soak-load.ts';
import type { FromServer as Told } from './soak-server.ts';

export type Backlog = {
  readonly drainedMs: number;
  /** Of the others, ms: before, and while the backlog was drained; `quiet`: of the quarter of seconds that were best. */
  readonly p99: Spell;
  readonly quiet: Spell;
  readonly faults: readonly string[];
};

type Spell = { readonly before: number; readonly during: number };

const HONEST = 200;
const LATE = 8_888;
const OFFLINE_MS = 8 * 3_600_000;
const BEFORE_MS = 5_000;
const SLICE_MS = 1_000;
/** Delivery.md L6: a device that was offline for eight hours comes back with all that it captured, while others type. */
export async function measureBacklog(events: number): Promise<Backlog> {
  const child = startServer(0, 'without-database');
  const { port, key } = (await heardFrom(child)) as Extract<Told, { readonly port: number }>;
  const signing = createPrivateKey(key);
  const heard: Heard = { sent: 0, stored: 0, other: 0, rows: 0 };
  const honest = await openLoad(port, await typing(signing, HONEST, heard), HONEST);
  await honest.pace(2 * HONEST, 2_000);
  const before: number[][] = [];
  for (let ms = 0; ms < BEFORE_MS; ms += SLICE_MS) before.push(await honest.pace(2 * HONEST, SLICE_MS));
  const url = `http://127.0.0.1:${port}`;
  const client = openIngestClient({ url, token: () => tokenOf(signing, LATE), name: 'late' });
  client.setNetwork(false);
  capture(client, events);
  const since = performance.now();
  client.setNetwork(true);
  let drainedMs = Number.POSITIVE_INFINITY;
  void client.settled().then(() => (drainedMs = performance.now() - since));
  const during: number[][] = [];
  while (!Number.isFinite(drainedMs) && performance.now() - since < 90_000)
    during.push(await honest.pace(2 * HONEST, SLICE_MS));
  child.send('end');
  const told = (await heardFrom(child)) as Extract<Told, { readonly counts: unknown }>;
  client.close();
  honest.close();
  child.disconnect();
  const p99 = { before: quantile(before.flat(), 0.99), during: quantile(during.flat(), 0.99) };
  const quiet = { before: quietP99(before), during: quietP99(during) };
  return { drainedMs, p99, quiet, faults: complaints(told, heard, events) };
}

/** What was typed over eight hours, evenly, on this device. */
function capture(client: ReturnType<typeof openIngestClient>, events: number): void {
  const from = Date.now() - OFFLINE_MS;
  for (let seq = 1; seq <= events; seq++) {
    const { source, events: made } = batchOf(LATE, seq);
    const [one] = made;
    if (!one) continue;
    const sentAt = from + Math.floor((seq / events) * (OFFLINE_MS - 120_000));
    client.capture({ source, event: one.event, sentAt, body: one.body });
  }
}

function complaints(
  told: Extract<Told, { readonly counts: unknown }>,
  heard: Heard,
  events: number,
): string[] {
  const archived = told.seqs.reduce((sum, [, last]) => sum + last, 0);
  const checks: readonly (readonly [boolean, string])[] = [
    [heard.sent === heard.stored, `${heard.sent} sent by others, ${heard.stored} acknowledged`],
    [
      archived === heard.stored + events,
      `${archived} in the archive, and ${heard.stored + events} acknowledged`,
    ],
    [told.faults === 0, `${told.faults} places where a producer's order is broken`],
    [told.difference === 0, `${told.difference} events have no end, or two`],
    [told.behind === 0, `${told.behind} entries were never folded`],
  ];
  return checks.filter(([isKept]) => !isKept).map(([, sentence]) => sentence);
}

/** What else the machine does makes some seconds worse; a slower server makes all worse. */
function quietP99(seconds: readonly (readonly number[])[]): number {
  return quantile(
    seconds.map((waits) => quantile(waits, 0.99)),
    0.25,
  );
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
