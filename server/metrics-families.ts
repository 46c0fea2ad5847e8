import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import type { HistogramCounts } from './histogram.ts';

type Labels = Readonly<Record<string, string>>;
/** One value, or one for each set of labels. */
export type Reading = number | readonly (readonly [labels: Labels, value: number])[];
export type Family = { readonly name: string; readonly help: string };

const rowsOf = (reading: Reading) => (typeof reading === 'number' ? [[{}, reading] as const] : reading);
const labelsOf = (names: readonly string[]) => ({ labelNames: [...names] });

/** A value that goes up and down; read at each scrape. */
export function addGauge(
  registry: Registry,
  { name, help }: Family,
  read: () => Reading,
  labels: readonly string[] = [],
): void {
  const gauge = new Gauge({
    name,
    help,
    ...labelsOf(labels),
    registers: [registry],
    collect() {
      gauge.reset();
      for (const [of, value] of rowsOf(read())) gauge.set(of, value);
    },
  });
}

/** A value that only rises, counted elsewhere; read at each scrape. */
export function addCounter(
  registry: Registry,
  { name, help }: Family,
  read: () => Reading,
  labels: readonly string[] = [],
): void {
  const counter = new Counter({
    name,
    help,
    ...labelsOf(labels),
    registers: [registry],
    collect() {
      counter.reset();
      for (const [of, value] of rowsOf(read())) counter.inc(of, value);
    },
  });
}

/** A distribution that was counted elsewhere; `scale` brings its values to the unit of the name. */
export function addHistogram(
  registry: Registry,
  { name, help }: Family,
  read: () => HistogramCounts,
  scale = 1,
): void {
  registry.registerMetric(
    asMetric({
      name,
      async get() {
        return { name, help, type: 'histogram', aggregator: 'sum', values: bucketsOf(name, read(), scale) };
      },
    }),
  );
}

function bucketsOf(name: string, { bounds, counts, sum }: HistogramCounts, scale: number) {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    const bound = bounds[i];
    const le = bound === undefined ? '+Inf' : String(bound * scale);
    return { metricName: `${name}_bucket`, labels: { le }, value: total };
  });
  const end = (metricName: string, value: number) => ({ metricName, labels: {}, value });
  return [...buckets, end(`${name}_sum`, sum * scale), end(`${name}_count`, total)];
}

/** The one cast: the library's own histogram counts by itself, but its registry asks a metric for its name and `get` alone. */
function asMetric(metric: { readonly name: string; get(): Promise<unknown> }): Metric {
  return metric as unknown as Metric;
}
