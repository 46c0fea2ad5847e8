/** What the process takes, MB: in all, of the collector's heap what is in use and what is held, and what lies beside it. */
export type Memory = {
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
};

export function memoryNow(): Memory {
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return {
    rss: rss / 1e6,
    heapUsed: heapUsed / 1e6,
    heapTotal: heapTotal / 1e6,
    external: external / 1e6,
    arrayBuffers: arrayBuffers / 1e6,
  };
}

/** After a collection: what is in use is what is alive. */
export function memoryAlive(): Memory {
  globalThis.gc?.();
  return memoryNow();
}
