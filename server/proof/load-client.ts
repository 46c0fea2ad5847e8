import type { Answer, Sent } from '#server/ingest/protocol.ts';
import { type Random, seededRandom } from '#server/simulate/random.ts';
import { proofTool, type Tool } from './captured.ts';
import { acknowledge, type Ledger, newLedger, noteEnd } from './ledger.ts';
import { type Line, type OpenLine, socketLine } from './lines.ts';

export type LoadClient = {
  readonly ledger: Ledger;
  /** Events that wait for an answer. */
  inFlight(): number;
  /** Has it been greeted on a connection on which the server can push? */
  hearsPushes(): boolean;
  /** Events acknowledged within the last so many ms. */
  acknowledgedWithin(ms: number): number;
  /** Events that the client still holds. */
  held(): number;
  /** Codes of refusals, and what the server pushed, with how often. */
  readonly heard: Map<string, number>;
  /** Makes no new events; what it holds is still sent. */
  stopCapturing(): void;
  /** Cuts its own connection no more. */
  stopCutting(): void;
  /** Where the server is from now on; the next connection goes there. */
  moveTo(url: string): void;
  /** Cuts the connection without a word. */
  cut(): void;
  close(): void;
};

export type LoadClientOptions = {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly student: string;
  readonly seed: number;
  /** What carries it; default: Socket.IO. */
  readonly openLine?: OpenLine;
  /** How far its clock may be from the true time, ms. */
  readonly clockShiftMs?: number;
  /** What it captures; default: events of the proof's own source. */
  readonly tool?: Tool;
  /** A connection is cut by the client itself after about so many frames; 0: never. */
  readonly cutEvery?: number;
  /** How long it rests after each frame, ms; default: not at all. */
  readonly pauseMs?: number;
  /** Hears how long each frame that was stored waited for its answer, ms. */
  readonly onStored?: (ms: number) => void;
  /** Longest wait before a new connection, ms; wire.md part B says 30 s, which no proof has. */
  readonly reconnectMs?: number;
};

const WINDOW_EVENTS = 64;
const LARGEST_FRAME = 24;
const LONGEST_RETRY_MS = 1_000;
const LONGEST_RECENT = 1_000;

type Flight = { readonly from: number; readonly count: number };

/**
 * A student's tool as wire.md part B describes it, written from there: it holds every event until it is told of its end,
 * keeps its window full, says `hello` on each connection, and notes all that it sends and hears. Its events and the sizes of
 * its frames come from the seed; when they leave is the world's doing.
 */
export function openLoadClient(options: LoadClientOptions): LoadClient {
  const random = seededRandom(options.seed);
  const tool = options.tool ?? proofTool();
  const shiftMs = Math.round(random.between(-1, 1) * (options.clockShiftMs ?? 0));
  const clock = () => Date.now() + shiftMs;
  const ledger = newLedger(producerFrom(random), options.student);
  /** Events with seq above `ledger.acknowledged`, in order. */
  const spool: Sent[] = [];
  const heard = new Map<string, number>();
  const recent: { readonly at: number; readonly count: number }[] = [];
  const flights = new Set<Flight>();
  let url = options.url;
  let line: Line | undefined;
  let next = 1;
  let isWelcome = false;
  let isCapturing = true;
  let isCutting = true;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let notBefore = 0;
  let framesLeft = framesUntilCut();

  function framesUntilCut(): number {
    return options.cutEvery ? 1 + random.below(2 * options.cutEvery) : Number.POSITIVE_INFINITY;
  }

  const inFlight = () => [...flights].reduce((sum, { count }) => sum + count, 0);
  const hear = (what: string) => heard.set(what, (heard.get(what) ?? 0) + 1);

  async function connect(): Promise<void> {
    const token = await options.token();
    if (isClosed) return;
    const opened: Line = (options.openLine ?? socketLine)(url, token, {
      onOpen: () => greet(opened),
      onLost: () => lost(opened),
      onPushed: (name, { code }) => hear(code === undefined ? name : `${name} ${code}`),
    });
    line = opened;
  }

  function lost(from: Line): void {
    if (from !== line) return;
    line = undefined;
    isWelcome = false;
    ledger.sendings.unanswered += inFlight();
    flights.clear();
    if (isClosed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), Math.random() * (options.reconnectMs ?? 200));
  }

  const hold = () => ({ oldest: ledger.acknowledged + 1, now: clock() });

  function greet(to: Line): void {
    const { producer, epoch } = ledger;
    to.ask({ v: 1, type: 'hello', producer, epoch, ...hold() }, hold(), (answer) => {
      if (to !== line) return;
      if (answer.type !== 'welcome') {
        hear(`hello ${answer.type === 'refused' ? answer.code : answer.type}`);
        to.cut();
        return;
      }
      forget(acknowledge(ledger, answer.next - 1));
      next = answer.next;
      isWelcome = true;
      pump();
    });
  }

  /** The oldest events of the spool are dealt with. */
  function forget(count: number): void {
    spool.splice(0, count);
    if (count > 0) recent.push({ at: performance.now(), count });
    while (recent.length > LONGEST_RECENT) recent.shift();
  }

  function pump(): void {
    while (isWelcome && line && performance.now() >= notBefore && flights.size < line.mostFlights) {
      const room = WINDOW_EVENTS - inFlight();
      const wanted = 1 + random.below(LARGEST_FRAME);
      if (room < wanted && flights.size > 0) return;
      while (isCapturing && spool.length - (next - 1 - ledger.acknowledged) < wanted) makeOne();
      const start = next - 1 - ledger.acknowledged;
      const events = spool.slice(start, start + Math.min(wanted, WINDOW_EVENTS));
      if (events.length === 0) return;
      send(line, events);
      if (options.pauseMs) rest(options.pauseMs);
      framesLeft -= 1;
      if (framesLeft > 0 || !isCutting) continue;
      framesLeft = framesUntilCut();
      cut();
    }
  }

  function makeOne(): void {
    const { sent, kind, hash } = tool.capture(random, ledger.rows.length + 1, clock());
    ledger.rows.push({ kind, hash, end: 'unknown' });
    spool.push(sent);
  }

  function send(to: Line, events: readonly Sent[]): void {
    const flight = { from: next, count: events.length };
    const { producer, epoch, sendings } = ledger;
    flights.add(flight);
    next += events.length;
    ledger.highest = Math.max(ledger.highest, next - 1);
    sendings.sent += events.length;
    const batch = { v: 1, type: 'events', producer, epoch, from: flight.from, source: tool.source, events };
    const sentAt = performance.now();
    to.ask(batch, hold(), (answer) => {
      if (to !== line) return;
      if (answer.type === 'stored') options.onStored?.(performance.now() - sentAt);
      flights.delete(flight);
      settle(flight, answer);
      pump();
    });
  }

  function settle(flight: Flight, answer: Answer): void {
    const { sendings } = ledger;
    if (answer.type === 'stored') {
      const bad = new Set(answer.bad.map(({ seq }) => seq));
      const isDeclined = (seq: number) =>
        answer.declined?.some(({ from, to }) => from <= seq && seq <= to) ?? false;
      for (let seq = flight.from; seq < flight.from + flight.count; seq += 1) {
        const end = bad.has(seq) ? 'bad' : isDeclined(seq) ? 'declined' : 'stored';
        sendings[end] += 1;
        noteEnd(ledger, seq, end);
      }
      const upTo = flight.from + flight.count - 1;
      if (answer.upTo < upTo) ledger.complaints.push(`${ledger.producer}: upTo ${answer.upTo} for ${upTo}`);
      forget(acknowledge(ledger, answer.upTo));
      return;
    }
    sendings.refused += flight.count;
    if (answer.type !== 'refused') {
      ledger.complaints.push(`${ledger.producer}: a batch was answered ${answer.type}`);
      return;
    }
    hear(answer.code);
    back(answer.expected, answer.retryAfterMs);
  }

  /** What was refused is sent again, once all that is on its way has been answered. */
  function back(expected: number | undefined, retryAfterMs = 0): void {
    next = Math.max(ledger.acknowledged + 1, Math.min(next, expected ?? ledger.acknowledged + 1));
    rest(Math.min(Math.max(retryAfterMs, 20), LONGEST_RETRY_MS));
  }

  function rest(ms: number): void {
    notBefore = performance.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(() => {
      notBefore = 0; // by the timer and not by the clock, which may be a millisecond behind it
      pump();
    }, notBefore - performance.now());
  }

  function cut(): void {
    line?.cut();
  }

  void connect();
  return {
    ledger,
    inFlight,
    hearsPushes: () => isWelcome && line?.hearsPushes === true,
    acknowledgedWithin: (ms) =>
      recent.filter(({ at }) => performance.now() - at <= ms).reduce((sum, { count }) => sum + count, 0),
    held: () => spool.length,
    heard,
    stopCapturing() {
      isCapturing = false;
    },
    stopCutting() {
      isCutting = false;
    },
    moveTo(to) {
      url = to;
      cut();
    },
    cut,
    close() {
      isClosed = true;
      clearTimeout(timer);
      cut();
    },
  };
}

/** 128 bits from the seed. */
function producerFrom(random: Random): string {
  return Buffer.from(Array.from({ length: 16 }, () => random.below(256))).toString('base64url');
}
