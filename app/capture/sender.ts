import type { Answer, Batch, Hello, Sent, Stored } from '#server/ingest/protocol.ts';
import type { Captured, Spool, Spooled } from './spool.ts';

/** What the sender needs of a connection; `send` resolves with the server's answer or rejects when there is none in time. */
export type Link = {
  send(message: Hello | Batch): Promise<Answer>;
  /** Drops the connection; a fresh one is made, and `onConnect` called again, not before `afterMs`. */
  reconnect(afterMs: number): void;
};

/** `connecting`: the first try has not ended. `offline`: kept on this device. `stopped`: the server said that nothing may be collected; `reason` is its code. */
export type SenderState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'saved' }
  | { readonly kind: 'sending'; readonly waiting: number }
  | { readonly kind: 'offline'; readonly waiting: number }
  | { readonly kind: 'stopped'; readonly reason: string };

export type Sender = {
  onConnect(): void;
  onDisconnect(): void;
  /** Something was added to the spool. */
  onAdded(): void;
  onSlow(ms: number): void;
  onPolicy(action: 'send' | 'hold' | 'drop', reason: string): void;
  onStop(code: string): void;
};

const FRAME_EVENTS = 64;
const FRAME_CHARACTERS = 60_000; // 64 KiB of text, with room for the frame itself

/**
 * Sends the spool: persist first, send second, delete only on `stored` (delivery.md §3). One batch is in flight at a
 * time, so answers cannot overtake each other; what is captured meanwhile goes with the next.
 */
export function openSender({
  spool,
  link,
  clock,
  wait,
  onState,
}: {
  readonly spool: Spool;
  readonly link: Link;
  readonly clock: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly onState: (state: SenderState) => void;
}): Sender {
  let connection = 0;
  let isConnected = false;
  let isFirstTry = true;
  let isHeld = false;
  let stopped: string | null = null;
  let notBefore = 0;
  let next = 1;
  let alone = new Set<number>();
  let isRunning = false;
  let isWanted = false;

  const report = async () => {
    const waiting = await spool.count();
    if (stopped) onState({ kind: 'stopped', reason: stopped });
    else if (isFirstTry) onState({ kind: 'connecting' });
    else if (!isConnected || isHeld) onState({ kind: 'offline', waiting });
    else onState(waiting === 0 ? { kind: 'saved' } : { kind: 'sending', waiting });
  };

  /** Runs the loop unless it runs already; a wish that comes while it runs is not lost. */
  const wake = () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    void loop();
  };

  async function loop(): Promise<void> {
    while (isWanted) {
      isWanted = false;
      await sendAll(connection).catch(() => undefined); // the link told the page; the spool keeps everything
    }
    isRunning = false;
    await report();
  }

  async function sendAll(mine: number): Promise<void> {
    if (!isConnected || stopped) return;
    if (!(await isGreeted(mine))) return;
    while (isConnected && mine === connection && !stopped && !isHeld) {
      const pause = notBefore - clock();
      if (pause > 0) await wait(pause);
      const events = firstBatch(await spool.from(next, FRAME_EVENTS), alone);
      if (events.length === 0) return;
      const { producer, epoch } = await spool.producer();
      const first = events[0] as Spooled;
      const answer = await link.send({
        v: 1,
        type: 'events',
        producer,
        epoch,
        from: first.seq,
        source: first.source,
        events: events.map(asSent),
      });
      if (mine !== connection) return;
      await heed(answer, events, mine);
      await report();
    }
  }

  let greeted = 0;
  /** False: the producer was made anew, and the loop begins again with it. */
  async function isGreeted(mine: number): Promise<boolean> {
    if (greeted === mine) return true;
    const { producer, epoch } = await spool.producer();
    const answer = await link.send({
      v: 1,
      type: 'hello',
      producer,
      epoch,
      oldest: await spool.oldest(),
      now: clock(),
    });
    if (answer.type === 'welcome') {
      greeted = mine;
      next = answer.next;
      await spool.deleteUpTo(answer.next - 1);
      return true;
    }
    if (answer.type === 'refused' && (answer.code === 'forbidden' || answer.code === 'conflict')) {
      await spool.renew();
      isWanted = true;
      return false;
    }
    link.reconnect('retryAfterMs' in answer ? (answer.retryAfterMs ?? 1000) : 1000);
    return false;
  }

  async function heed(answer: Answer, events: readonly Spooled[], mine: number): Promise<void> {
    if (answer.type === 'stored') await settle(answer);
    else if (answer.type === 'bad-frame') await giveUpOrSplit(events);
    else if (answer.type === 'refused' && answer.code === 'gap' && answer.expected !== undefined) {
      if (answer.expected < (await spool.oldest())) greeted = 0;
      next = answer.expected;
      if (greeted !== mine) isWanted = true;
    } else if (answer.type === 'refused') notBefore = clock() + (answer.retryAfterMs ?? 1000);
  }

  async function settle(stored: Stored): Promise<void> {
    await spool.deleteUpTo(stored.upTo);
    next = stored.upTo + 1;
    if (stored.slowDownMs) notBefore = clock() + stored.slowDownMs;
  }

  /** The frame was no batch to the server: its events go one by one; one that fails alone is given up and counted. */
  async function giveUpOrSplit(events: readonly Spooled[]): Promise<void> {
    const [only] = events;
    if (events.length === 1 && only) await spool.replace(only.seq, captureGap(only, clock()));
    else alone = new Set(events.map((event) => event.seq));
  }

  return {
    onConnect() {
      connection += 1;
      isConnected = true;
      isFirstTry = false;
      wake();
    },
    onDisconnect() {
      connection += 1;
      isConnected = false;
      isFirstTry = false;
      void report();
    },
    onAdded: wake,
    onSlow(ms) {
      notBefore = Math.max(notBefore, clock() + ms);
    },
    onPolicy(action, reason) {
      isHeld = action === 'hold';
      if (action === 'drop') {
        stopped = reason;
        void spool.purge();
      }
      if (action === 'send') stopped = null;
      wake();
    },
    onStop(code) {
      stopped = code;
      void report();
    },
  };
}

/** A batch has one source, at most 64 events and 64 KiB; an event that spoiled a frame goes alone. */
export function firstBatch(waiting: readonly Spooled[], alone: ReadonlySet<number>): readonly Spooled[] {
  const [first] = waiting;
  if (!first || alone.has(first.seq)) return waiting.slice(0, 1);
  let characters = 0;
  let count = 0;
  for (const event of waiting) {
    characters += JSON.stringify(asSent(event)).length * 2; // two bytes a character is the usual worst of Latin and Cyrillic
    if (event.source !== first.source || alone.has(event.seq) || event.seq !== first.seq + count) break;
    if (count > 0 && characters > FRAME_CHARACTERS) break;
    count += 1;
  }
  return waiting.slice(0, count);
}

function asSent({ event, sentAt, tick, body }: Spooled): Sent {
  return { event, sentAt, tick, body: body as Sent['body'] };
}

function captureGap(lost: Spooled, now: number): Captured {
  return {
    source: 'client',
    event: 'capture-gap',
    sentAt: now,
    tick: lost.tick,
    body: { from: lost.sentAt, to: lost.sentAt, count: 1 },
  };
}
