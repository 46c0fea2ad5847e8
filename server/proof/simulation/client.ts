import type { Answer, Refused, Sent, Stored, Welcome } from '#server/ingest/protocol.ts';
import { checkRepeated, eventOf, type Repeated } from './client-events.ts';
import type { Captured, Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Life, VirtualTime } from './virtual-time.ts';
import { type ClientEnd, connect, type Listening } from './wire.ts';

const WINDOW_EVENTS = 64;
const SILENT_MS = 15_000;

/** A student's tool with its spool, by the client rules of wire.md part B. */
export type Client = {
  capture(count: number, salt: number): void;
  resend(count: number, isTampered: boolean): void;
  sendBadFrame(): void;
  cut(downMs: number, lingerMs: number): void;
  clog(ms: number): void;
  loseOldest(count: number): void;
  newEpoch(): void;
  setClock(offsetMs: number): void;
  /** The server's process ended: the connection breaks. */
  serverGone(): void;
  /** Nothing is left to be sent. */
  isIdle(): boolean;
};

type Awaited =
  | { readonly is: 'hello' }
  | { readonly is: 'batch'; readonly from: number; readonly to: number }
  | ({ readonly is: 'again' } & Repeated)
  | { readonly is: 'bad-frame' };

export type ClientOptions = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly listening: () => Listening;
  readonly student: string;
  readonly producer: string;
  readonly startAt: number;
  readonly trace: (line: string) => void;
};

export function openClient(options: ClientOptions): Client {
  const { time, random, ledger, student, producer } = options;
  const life: Life = { isAlive: true };
  const spool = new Map<number, Captured>();
  /** What had its end, by seq, as it was sent. */
  let ended = new Map<number, Sent>();
  let epoch = 1;
  let next = 1;
  let sendFrom = 1;
  let clockOffset = 0;
  let attempt = 0;
  let tries = 0;
  let waitUntil = 0;
  let isReady = false;
  let isRewinding = false;
  let line: ClientEnd | null = null;
  let awaited: Awaited[] = [];
  let lastHeardAt = 0;

  const oldest = () => spool.keys().next().value ?? next;
  const idOf = (seq: number) => `${producer}:${epoch}:${seq}`;
  const clock = () => options.startAt + Math.floor(time.now()) + clockOffset;
  const complain = (what: string) => void ledger.complaints.push(`${producer}: ${what}`);

  function reconnect(afterMs: number): void {
    attempt += 1;
    const mine = attempt;
    line = null;
    isReady = false;
    isRewinding = false;
    awaited = [];
    time.schedule(life, afterMs, () => {
      if (mine !== attempt) return;
      const ears = {
        opened: (end: ClientEnd) => mine === attempt && greet(end),
        answered: (answer: Answer) => mine === attempt && hear(answer),
        told: (event: string, message: { ms?: number; reconnectAfterMs?: number }) =>
          mine === attempt && beTold(event, message),
        closed: () => mine === attempt && reconnect(backOff()),
      };
      const fork = random.fork(`connection ${attempt}`);
      connect({ time, random: fork, listening: options.listening, student, client: life, ears });
      watch(mine);
    });
  }

  /** No answer for so long: another socket, never the same one again. */
  function watch(mine: number): void {
    lastHeardAt = time.now();
    const look = () => {
      if (mine !== attempt) return;
      const isWaiting = awaited.length > 0 || !isReady;
      if (isWaiting && time.now() - lastHeardAt >= SILENT_MS) cut(backOff(), 0);
      else time.schedule(life, SILENT_MS, look);
    };
    time.schedule(life, SILENT_MS, look);
  }

  function backOff(): number {
    tries += 1;
    return random.next() * Math.min(30_000, 500 * 2 ** Math.min(tries, 6));
  }

  function cut(downMs: number, lingerMs: number): void {
    line?.cut(lingerMs);
    reconnect(downMs);
  }

  function say(message: object, waits: Awaited): void {
    awaited.push(waits);
    if (awaited.length === 1) lastHeardAt = time.now();
    line?.send(JSON.stringify(message));
  }

  function greet(end: ClientEnd): void {
    line = end;
    lastHeardAt = time.now();
    say({ v: 1, type: 'hello', producer, epoch, oldest: oldest(), now: clock() }, { is: 'hello' });
  }

  function beTold(event: string, message: { ms?: number; reconnectAfterMs?: number }): void {
    if (event === 'slow') waitUntil = Math.max(waitUntil, time.now() + (message.ms ?? 0));
    if (event === 'going-away') cut(random.below(message.reconnectAfterMs ?? 0), 0);
    if (event === 'stop') cut(backOff(), 0);
  }

  function end(seq: number, told: Captured['told']): void {
    const one = spool.get(seq);
    if (!one) return;
    one.told = told;
    ended.set(seq, one.sent);
    spool.delete(seq);
  }

  function hear(answer: Answer): void {
    lastHeardAt = time.now();
    tries = 0;
    const waits = awaited.shift();
    options.trace(`${producer} hears ${JSON.stringify(answer)}`);
    if (!waits) complain('it was answered without having asked');
    else if (answer.type === 'refused') refused(answer, waits);
    else if (waits.is === 'hello' && answer.type === 'welcome') welcomed(answer);
    else if (waits.is === 'bad-frame' && answer.type === 'bad-frame') ledger.badFrames += 1;
    else if (waits.is === 'again' && answer.type === 'stored') checkRepeated(answer, waits, complain);
    else if (waits.is === 'batch' && answer.type === 'stored') stored(answer, waits);
    else complain(`a ${waits.is} was answered ${answer.type}`);
    rewind();
    pump();
  }

  function welcomed(answer: Welcome): void {
    if (answer.next > next) complain(`the server asks for ${answer.next}, which was never captured`);
    for (const seq of [...spool.keys()]) if (seq < answer.next) end(seq, 'ended');
    isReady = true;
    sendFrom = oldest();
    if (answer.next < sendFrom) complain(`the server asks for ${answer.next} again, which had its end`);
  }

  function stored(answer: Stored, waits: { readonly from: number; readonly to: number }): void {
    if (answer.upTo < waits.to) complain(`a batch up to ${waits.to} was stored up to ${answer.upTo}`);
    for (const bad of answer.bad) {
      if (bad.code === 'id-conflict') complain(`${bad.seq} is a conflict though it was never changed`);
      end(bad.seq, 'bad');
    }
    for (const { from, to } of answer.declined ?? []) for (let s = from; s <= to; s++) end(s, 'declined');
    for (const seq of [...spool.keys()]) if (seq <= answer.upTo) end(seq, 'ended');
    if (answer.slowDownMs) waitUntil = Math.max(waitUntil, time.now() + answer.slowDownMs);
  }

  function refused(answer: Refused, waits: Awaited): void {
    if (waits.is === 'hello') {
      complain(`hello was refused: ${answer.code}`);
      cut(backOff(), 0);
      return;
    }
    if (answer.code === 'gap' && waits.is === 'batch' && !isRewinding) {
      complain(`a gap before ${waits.from}, where ${answer.expected} is expected`);
      cut(backOff(), 0);
      return;
    }
    waitUntil = Math.max(waitUntil, time.now() + (answer.retryAfterMs ?? 500));
    isRewinding = true;
  }

  /** After a refusal: begins again at the oldest, once all that was under way is answered. */
  function rewind(): void {
    if (!isRewinding || awaited.length > 0) return;
    isRewinding = false;
    sendFrom = oldest();
  }

  function pump(): void {
    if (!line || !isReady || isRewinding) return;
    if (time.now() < waitUntil) {
      const mine = attempt;
      time.schedule(life, waitUntil - time.now(), () => mine === attempt && pump());
      return;
    }
    for (;;) {
      const size = Math.min(random.between(1, 6), next - sendFrom);
      const inFlight = awaited.reduce(
        (sum, one) => sum + (one.is === 'batch' ? one.to - one.from + 1 : 0),
        0,
      );
      if (size <= 0 || inFlight + size > WINDOW_EVENTS) return;
      const from = sendFrom;
      sendFrom += size;
      sendBatch(from, sentFrom(from, size), { is: 'batch', from, to: from + size - 1 });
    }
  }

  function sentFrom(from: number, size: number): Sent[] {
    return Array.from({ length: size }, (_, i) => {
      const one = spool.get(from + i);
      if (!one) throw new Error(`the spool lacks ${from + i}`);
      return one.sent;
    });
  }

  function sendBatch(from: number, events: readonly Sent[], waits: Awaited): void {
    options.trace(`${producer} sends ${from}+${events.length}`);
    say({ v: 1, type: 'events', producer, epoch, from, source: 'marks', events }, waits);
  }

  function giveUp(seqs: readonly number[]): void {
    for (const seq of seqs) {
      const one = spool.get(seq);
      if (one) one.isGivenUp = true;
      spool.delete(seq);
    }
  }

  reconnect(random.below(200));
  return {
    capture(count, salt) {
      const dice = random.fork(`events ${salt}`);
      for (let i = 0; i < count; i++) {
        const one = { id: idOf(next), student, sent: eventOf(dice, clock()), told: null, isGivenUp: false };
        ledger.events.set(one.id, one);
        spool.set(next, one);
        next += 1;
      }
      pump();
    },
    resend(count, isTampered) {
      const seqs = [...ended.keys()].toSorted((a, b) => a - b).slice(-count);
      const from = seqs[0];
      if (!isReady || from === undefined || seqs.at(-1) !== from + seqs.length - 1) return;
      const sent = seqs.map((seq) => {
        const was = ended.get(seq) as Sent;
        return isTampered ? { ...was, body: { ...was.body, n: -1 } } : was;
      });
      sendBatch(from, sent, { is: 'again', from, count: sent.length, isTampered });
    },
    sendBadFrame() {
      if (!line || !isReady) return;
      awaited.push({ is: 'bad-frame' });
      line.send('[');
    },
    cut,
    clog: (ms) => line?.clogUntil(time.now() + ms),
    loseOldest(count) {
      giveUp([...spool.keys()].slice(0, count));
      // Behind a gap the server knows no hashes of what was before it: changed or not, it is a duplicate then.
      ended = new Map();
      cut(random.below(500), random.below(500));
    },
    newEpoch() {
      giveUp([...spool.keys()]);
      epoch += 1;
      next = 1;
      ended = new Map();
      cut(random.below(500), 0);
    },
    setClock(offsetMs) {
      clockOffset = offsetMs;
    },
    serverGone() {
      if (line) cut(backOff(), 0);
    },
    isIdle: () => spool.size === 0 && awaited.length === 0,
  };
}
