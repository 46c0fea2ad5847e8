import { createPrivateKey } from 'node:crypto';
import { sleep } from './ingest-load.ts';
import { heardFrom, producerOf, startServer, tokenOf } from './soak-load.ts';
import type { FromServer as Told } from './soak-server.ts';
import { openTypist, type Typist } from './soak-typist.ts';

export type Drops = {
  /** Until the last was welcome again, ms, per drop. */
  readonly backMs: readonly number[];
  /** From the first to the last that tried to come back, ms, per drop. */
  readonly spreadMs: readonly number[];
  /** Handshakes that were refused for now, by what was said. */
  readonly refused: ReadonlyMap<string, number>;
  readonly sent: number;
  /** Every broken promise as a sentence. */
  readonly faults: readonly string[];
};

/** So many that no address comes to its 2,000 handshakes a minute. */
const ADDRESSES = 100;
const BACK_MS = 30_000;
/** Delivery.md L4: everybody's connection is cut at once, with an event on its way, again and again. */
export async function measureDrops(sockets: number, times: number): Promise<Drops> {
  const child = startServer(0, 'without-database');
  const { port, key } = (await heardFrom(child)) as Extract<Told, { readonly port: number }>;
  const refused = new Map<string, number>();
  const onRefused = (what: string) => {
    const code = /"code":"([\w-]+)"/.exec(what)?.[1] ?? what;
    refused.set(code, (refused.get(code) ?? 0) + 1);
  };
  const typists: Typist[] = [];
  const signing = createPrivateKey(key);
  for (let number = 0; number < sockets; number++) {
    const token = await tokenOf(signing, number);
    typists.push(openTypist({ port, number, token, from: `127.0.2.${1 + (number % ADDRESSES)}`, onRefused }));
    if (number % 100 === 99) await all(typists, (typist) => typist.isWelcome());
  }
  await all(typists, (typist) => typist.isWelcome());
  refused.clear();
  const backMs: number[] = [];
  const spreadMs: number[] = [];
  for (let time = 0; time < times; time++) {
    for (const typist of typists) typist.type();
    const cutAt = performance.now();
    for (const typist of typists) typist.drop();
    await sleep(1);
    for (const typist of typists) typist.type(); // captured while nobody is connected
    const isBack = await all(typists, (typist) => typist.isWelcome());
    backMs.push(isBack ? performance.now() - cutAt : Number.POSITIVE_INFINITY);
    const tries = typists.map((typist) => typist.triedAt());
    spreadMs.push(Math.max(...tries) - Math.min(...tries));
    await all(typists, (typist) => typist.acknowledged() === typist.captured());
  }
  child.send('end');
  const told = (await heardFrom(child)) as Extract<Told, { readonly counts: unknown }>;
  const faults = complaints(typists, told);
  for (const typist of typists) typist.close();
  child.disconnect();
  const sent = typists.reduce((sum, typist) => sum + typist.captured(), 0);
  return { backMs, spreadMs, refused, sent, faults };
}

async function all(typists: readonly Typist[], holds: (typist: Typist) => boolean): Promise<boolean> {
  const until = performance.now() + BACK_MS;
  while (performance.now() < until) {
    if (typists.every(holds)) return true;
    await sleep(5);
  }
  return false;
}

function complaints(
  typists: readonly Typist[],
  { seqs, faults, difference, counts }: Extract<Told, { readonly counts: unknown }>,
): string[] {
  const stored = new Map(seqs);
  const wrong = typists.flatMap((typist, number) => {
    const [captured, there] = [typist.captured(), stored.get(producerOf(number)) ?? 0];
    const isWhole = typist.acknowledged() === captured && there === captured;
    return isWhole
      ? []
      : [`${number}: ${captured} captured, ${typist.acknowledged()} acknowledged, ${there} in the archive`];
  });
  if (faults > 0) wrong.push(`${faults} places where a producer's order is broken`);
  if (difference !== 0) wrong.push(`${difference} events have no end, or two`);
  if (counts.edges.socket.bad > 0) wrong.push(`${counts.edges.socket.bad} bad rows`);
  return wrong;
}
