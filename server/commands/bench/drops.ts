import { measureDrops } from './soak-drops.ts';

/** Delivery.md L4: 5,000 connections cut at once, ten times. Sets the exit code 1 when something was lost or somebody did not come back. */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const [sockets, times] = quick ? [500, 3] : [5_000, 10];
  const { backMs, spreadMs, refused, sent, faults } = await measureDrops(sockets, times);
  console.log(`figure drops.sockets ${sockets} sockets`);
  console.log(`figure drops.times ${times} times`);
  console.log(`figure drops.back-max ${Math.round(Math.max(...backMs))} ms`);
  console.log(`figure drops.jitter-min ${Math.round(Math.min(...spreadMs))} ms`);
  for (const [code, count] of refused) console.log(`figure drops.refused.${code} ${count} handshakes`);
  console.log(`figure drops.events ${sent} events`);
  console.log(`figure drops.faults ${faults.length} faults`);
  for (const fault of faults.slice(0, 10)) console.error(`drops: ${fault}`);
  if (faults.length > 0 || Math.max(...backMs) > 30_000) process.exitCode = 1;
}
