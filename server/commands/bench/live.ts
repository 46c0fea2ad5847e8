import { measurePainted } from './live-painted.ts';
import { measureSocket } from './live-socket.ts';

/** A class of 30 that types, two changes a second each, before one teacher: how late she sees it, and what it costs the wire. */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const seconds = quick ? 6 : 30;
  const short = await measureSocket({ characters: 5000, seconds });
  figure('live.socket.p50', quantile(short.latencies, 0.5), 'ms');
  figure('live.socket.p99', quantile(short.latencies, 0.99), 'ms');
  figure('live.bytes-per-second.5k', short.bytesPerSecond, 'bytes');
  const long = await measureSocket({ characters: 500_000, seconds });
  figure('live.socket.500k.p99', quantile(long.latencies, 0.99), 'ms');
  figure('live.bytes-per-second.500k', long.bytesPerSecond, 'bytes');
  const painted = await measurePainted({ seconds });
  figure('live.painted.p50', quantile(painted, 0.5), 'ms');
  figure('live.painted.p99', quantile(painted, 0.99), 'ms');
}

function figure(name: string, value: number, unit: string): void {
  console.log(`figure ${name} ${Math.round(value * 10) / 10} ${unit}`);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
