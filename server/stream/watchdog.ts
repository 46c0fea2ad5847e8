import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reducer } from '#modules/kit/index.ts';
import { startSmallThread } from '#server/small-thread.ts';
import { positionOf } from './apply.ts';
import { type Folded, planOf } from './plan.ts';

/** What the owner tells a watchdog, and hears from it. */
export type Watched = {
  readonly onStep: (reducer: number, offset: number, index: number) => void;
  readonly isStuck: (folded: Folded, offset: number, index: number) => boolean;
};

/** How often the process ended at a step: `<name>.v<version> <position>` → times. */
export type Exits = Readonly<Record<string, number>>;

/** Exits at one position after which the key starts halted. */
const MOST_EXITS = 3;
const BEAT_MS = 500;

/** Places in the memory that the main thread and the watchdog share. */
export const SHARED = { beat: 0, reducer: 1, offset: 2, index: 3 } as const;

export type WatchdogData = {
  readonly shared: SharedArrayBuffer;
  readonly names: readonly string[];
  readonly file: string;
  readonly beatMs: number;
  readonly beats: number;
};

/**
 * A thread that sees a step that never ends: steps cannot be interrupted, so it notes reducer and position in
 * `halts.json` and ends the process (SIGKILL); whoever runs the server starts it again. At the third end at one
 * position the step is not run again.
 */
export function openWatchdog(options: {
  readonly folder: string;
  readonly reducers: readonly Reducer[];
  readonly silentMs?: number;
}): Watched & { close(): Promise<void> } {
  const { folder, reducers, silentMs = 10_000 } = options;
  const file = join(folder, 'halts.json');
  const stuck = new Set(stuckIn(readExits(file)));
  const buffer = new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT);
  const shared = new Float64Array(buffer);
  shared[SHARED.reducer] = -1;
  const beatMs = Math.min(BEAT_MS, silentMs / 4);
  const workerData: WatchdogData = {
    shared: buffer,
    names: planOf(reducers).all.map((folded) => folded.name),
    file,
    beatMs,
    beats: Math.ceil(silentMs / beatMs),
  };
  const worker = startSmallThread(new URL('./watchdog-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  worker.unref();
  const beat = setInterval(() => {
    shared[SHARED.beat] = (shared[SHARED.beat] ?? 0) + 1;
  }, beatMs);
  beat.unref();
  return {
    onStep(reducer, offset, index) {
      shared[SHARED.offset] = offset;
      shared[SHARED.index] = index;
      shared[SHARED.reducer] = reducer;
    },
    isStuck: (folded, offset, index) =>
      stuck.size > 0 && stuck.has(`${folded.name} ${positionOf(offset, index)}`),
    async close() {
      clearInterval(beat);
      await worker.terminate();
    },
  };
}

/** Empty where there is no such file, or it is not what the watchdog wrote: then the exits are counted anew. */
export function readExits(file: string): Exits {
  try {
    const exits: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof exits === 'object' && exits !== null ? (exits as Exits) : {};
  } catch {
    return {};
  }
}

function stuckIn(exits: Exits): readonly string[] {
  return Object.keys(exits).filter((step) => (exits[step] ?? 0) >= MOST_EXITS);
}
