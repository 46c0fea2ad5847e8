import { expect, it } from 'vitest';
import { createGroupQueue } from './group-queue.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { openArchiveMeasures } from './measures.ts';
import type { OpenSegment } from './open-segment.ts';
import { createWriter } from './writer.ts';

/** A writer onto nothing, whose syncs end at once; `begins` of each group: when its sync was asked for. */
function openWriter(spaceMs: number) {
  const begins: number[] = [];
  const file = { write: async (bytes: Buffer) => bytes.length };
  const segment = { file, path: '', first: 0, createdAt: 0, bytes: 64, end: 0, startedAt: undefined };
  const writer = createWriter({
    ...DEFAULT_LIMITS,
    queue: createGroupQueue(DEFAULT_LIMITS, { next: 0, lastAt: 0 }),
    fence: 0,
    clock: Date.now,
    measures: openArchiveMeasures(),
    syncs: {
      spaceMs,
      hear() {},
      async close() {},
      async sync() {
        begins.push(performance.now());
      },
    },
    segment: segment as unknown as OpenSegment,
    nextSegment: async () => segment as unknown as OpenSegment,
    onClosed: async () => {},
    onDurable() {},
    onFatal(error) {
      throw error;
    },
  });
  const append = (bytes: number) =>
    new Promise<void>((done) => {
      writer.append([{ k: 'batch', t: 1, ev: [{ event: 'e', body: { s: 'x'.repeat(bytes) } }] }], () =>
        done(),
      );
    });
  return { begins, append };
}

it('begins a group at once after a pause, and leaves time between two that follow each other', async () => {
  const { begins, append } = openWriter(60);
  await append(10);
  await append(10);
  const [first = Number.NaN, second = Number.NaN] = begins;
  expect(second - first).toBeGreaterThanOrEqual(58);
});

it('lets no large group wait, and none after a pause', async () => {
  const { begins, append } = openWriter(60_000);
  await append(10);
  await append(200_000);
  expect(begins).toHaveLength(2);
});
