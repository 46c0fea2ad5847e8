import { measureBacklog } from './soak-backlog.ts';

/** Delivery.md L6: 50,000 events after eight hours offline. Sets the exit code 1 when something was lost or it took over a minute. */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const events = quick ? 5_000 : 50_000;
  const { drainedMs, p99, quiet, faults } = await measureBacklog(events);
  console.log(`figure backlog.events ${events} events`);
  console.log(`figure backlog.drained ${(drainedMs / 1000).toFixed(1)} s`);
  console.log(`figure backlog.others.p99-before ${p99.before.toFixed(1)} ms`);
  console.log(`figure backlog.others.p99-during ${p99.during.toFixed(1)} ms`);
  console.log(`figure backlog.others.p99-quiet-before ${quiet.before.toFixed(1)} ms`);
  console.log(`figure backlog.others.p99-quiet-during ${quiet.during.toFixed(1)} ms`);
  console.log(`figure backlog.others.ratio ${(quiet.during / quiet.before).toFixed(2)} ratio`);
  for (const fault of faults) console.error(`backlog: ${fault}`);
  if (faults.length > 0 || drainedMs > 60_000) process.exitCode = 1;
}
