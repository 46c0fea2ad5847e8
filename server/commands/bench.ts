import { readdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';

/** One benchmark: `server/commands/bench/<name>.ts` exports `run`. */
type Benchmark = { run(options: { readonly quick: boolean }): Promise<void> };

const folder = new URL('./bench/', import.meta.url);
const known = (await readdir(folder))
  .filter((file) => /^[a-z]+\.ts$/.test(file))
  .map((file) => file.slice(0, -3));
const [name, ...flags] = process.argv.slice(2);

if (!name || !known.includes(name)) {
  console.error(`name a benchmark: ${known.join(', ')}.`);
  process.exit(64);
}
const cpu = cpus();
console.log(
  `machine: ${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, node ${process.version}`,
);
const { run } = (await import(new URL(`${name}.ts`, folder).href)) as Benchmark;
await run({ quick: flags.includes('--quick') });
process.exit();
