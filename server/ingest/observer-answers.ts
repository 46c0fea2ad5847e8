/** How a frame of the predecessor's protocol ended, where that is not `stored`. */
export type FrameAnswer = {
  readonly result: 'bad' | 'declined' | 'refused';
  readonly frame: number;
  readonly code: string;
  readonly message: string;
};

type Sum = {
  readonly result: string;
  readonly code: string;
  readonly first: number;
  last: number;
  count: number;
};

export type Answers = {
  tell(answer: FrameAnswer): void;
  /** Everything up to this frame has its outcome; told at most once a second, and only after `tellStored()`. */
  stored(upTo: number): void;
  tellStored(): void;
  /** Sends what is still summed up. */
  flush(): void;
  close(): void;
};

const WINDOW_MS = 1_000;

/**
 * Answers one by one up to the limit of each second, the rest in sums per result and code. Nothing is queued: a client
 * that does not read gets fewer frames with larger counts.
 */
export function openAnswers(options: {
  readonly perSecond: number;
  /** False while too much waits in the socket. */
  readonly hasRoom: () => boolean;
  readonly send: (frame: object) => void;
}): Answers {
  const sums = new Map<string, Sum>();
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  let isTellingStored = false;
  let storedUpTo = 0;
  let toldUpTo = 0;

  function openWindow(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      sent = 0;
      flush(options.perSecond);
      if (sums.size > 0 || sent > 0 || storedUpTo > toldUpTo) openWindow();
    }, WINDOW_MS);
  }

  function flush(most: number): void {
    for (const [key, { result, code, first, last, count }] of sums) {
      if (sent >= most || !options.hasRoom()) break;
      sums.delete(key);
      put({ status: 'answer', result, code, frames: [first, last], count });
    }
    if (!isTellingStored || storedUpTo === toldUpTo || !options.hasRoom()) return;
    toldUpTo = storedUpTo;
    options.send({ status: 'answer', result: 'stored', frame: toldUpTo });
  }

  function put(frame: object): void {
    sent += 1;
    options.send(frame);
  }

  function add(answer: FrameAnswer): void {
    const key = `${answer.result} ${answer.code}`;
    const sum = sums.get(key);
    if (!sum) {
      const { result, code, frame } = answer;
      sums.set(key, { result, code, first: frame, last: frame, count: 1 });
      return;
    }
    sum.last = answer.frame;
    sum.count += 1;
  }

  return {
    tell(answer) {
      openWindow();
      if (sums.size === 0 && sent < options.perSecond && options.hasRoom())
        put({ status: 'answer', ...answer });
      else add(answer);
    },
    stored(upTo) {
      storedUpTo = Math.max(storedUpTo, upTo);
      if (isTellingStored) openWindow();
    },
    tellStored() {
      isTellingStored = true;
    },
    flush: () => flush(Number.POSITIVE_INFINITY),
    close: () => clearTimeout(timer),
  };
}
