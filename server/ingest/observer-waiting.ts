import type { Clock } from './core.ts';
import type { OldProtocolLimits } from './limits.ts';

type Numbered = { readonly seq: number; readonly bytes: number };

export type Waiting<T> = {
  /** Submits at once, or behind what waits already. */
  add(one: T): void;
  /** It was refused for now: reading pauses, and it is submitted again, in order. */
  tryLater(one: T, afterMs: number): void;
};

const LONGEST_PAUSE_MS = 5_000;

/** Events of a client that has forgotten them, while they cannot be stored. Given up only after a minute without progress. */
export function openWaiting<T extends Numbered>(
  limits: Pick<OldProtocolLimits, 'heldBytes' | 'heldMs'>,
  clock: Clock,
  on: {
    readonly submit: (one: T) => void;
    readonly hold: (isHeld: boolean) => void;
    readonly giveUp: (one: T) => void;
  },
): Waiting<T> {
  let queue: T[] = [];
  let bytes = 0;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;

  function put(one: T): void {
    if (queue.length === 0) since = clock.monotonic();
    // What came later may be refused at once, while the earlier one's write has not failed yet.
    const behind = queue.findLastIndex(({ seq }) => seq < one.seq);
    queue.splice(behind + 1, 0, one);
    bytes += one.bytes;
  }

  function takeAll(): T[] {
    const all = queue;
    queue = [];
    bytes = 0;
    return all;
  }

  function drain(): void {
    timer = undefined;
    const startedAt = since;
    const again = takeAll();
    for (const one of again) {
      if (queue.length > 0) put(one);
      else on.submit(one);
    }
    if (queue.length === 0) on.hold(false);
    else if (queue.length === again.length) since = startedAt;
  }

  return {
    add(one) {
      if (queue.length > 0) put(one);
      else on.submit(one);
    },
    tryLater(one, afterMs) {
      put(one);
      on.hold(true);
      const isHopeless = bytes > limits.heldBytes || clock.monotonic() - since > limits.heldMs;
      if (isHopeless) for (const lost of takeAll()) on.giveUp(lost);
      if (timer === undefined) timer = setTimeout(drain, Math.min(afterMs, LONGEST_PAUSE_MS));
    },
  };
}
