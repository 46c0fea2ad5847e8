import type { Answer } from '#server/ingest/protocol.ts';
import type { Random } from './random.ts';
import type { Life, VirtualTime } from './virtual-time.ts';

/** The client's end of a connection. */
export type ClientEnd = {
  send(text: string): void;
  /** Nothing is heard any more; what is under way reaches the server for `lingerMs`, then it notices. */
  cut(lingerMs: number): void;
  /** Messages take long until then. */
  clogUntil(ms: number): void;
};

export type ClientEars = {
  opened(end: ClientEnd): void;
  answered(answer: Answer): void;
  told(event: string, message: { readonly ms?: number; readonly reconnectAfterMs?: number }): void;
  closed(): void;
};

/** The server's end. */
export type ServerEnd = {
  answer(answer: Answer): void;
  push(event: string, message: object): void;
  pause(): void;
  resume(): void;
  close(): void;
};
export type ServerEars = { message(text: string, reply: (answer: Answer) => void): void; closed(): void };

/** A listening server; null where nobody listens. */
export type Listening = { readonly life: Life; accept(student: string, end: ServerEnd): ServerEars } | null;

const CLOGGED_MS = 4_000;

/**
 * One connection: messages of a direction arrive in order and late, those of other connections before or after. A cut may
 * fall between a message and its answer.
 */
export function connect(options: {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly listening: () => Listening;
  readonly student: string;
  readonly client: Life;
  readonly ears: ClientEars;
}): void {
  const { time, random, listening, student, client, ears } = options;
  let cloggedUntil = 0;
  const arrivals = { up: 0, down: 0 };
  let isDeaf = false;
  let hasServerEnded = false;
  let isPaused = false;
  let server: ServerEars | null = null;
  let life: Life | null = null;
  const inbox: string[] = [];

  /** How long until what is sent now arrives, behind what was sent before. */
  function travel(way: 'up' | 'down'): number {
    const ms = time.now() < cloggedUntil ? random.below(CLOGGED_MS) : random.below(30);
    arrivals[way] = Math.max(arrivals[way], time.now() + ms);
    return arrivals[way] - time.now();
  }
  function toClient(act: () => void): void {
    if (life?.isAlive === false) return;
    time.schedule(client, travel('down'), () => {
      if (!isDeaf) act();
    });
  }
  function deliver(): void {
    while (!isPaused && !hasServerEnded && inbox.length > 0) {
      const text = inbox.shift() ?? '';
      server?.message(text, (answer) => toClient(() => ears.answered(answer)));
    }
  }
  function endServer(): void {
    if (hasServerEnded) return;
    hasServerEnded = true;
    server?.closed();
  }
  function hangUp(): void {
    toClient(() => {
      isDeaf = true;
      ears.closed();
    });
  }
  const clientEnd: ClientEnd = {
    send(text) {
      time.schedule(life, travel('up'), () => {
        inbox.push(text);
        deliver();
      });
    },
    cut(lingerMs) {
      isDeaf = true;
      time.schedule(life, lingerMs, endServer);
    },
    clogUntil(ms) {
      cloggedUntil = ms;
    },
  };
  const serverEnd: ServerEnd = {
    answer: (answer) => toClient(() => ears.answered(answer)),
    push: (event, message) => toClient(() => ears.told(event, message)),
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      time.schedule(life, 0, deliver);
    },
    close() {
      hangUp();
      time.schedule(life, 0, endServer);
    },
  };

  const found = listening();
  if (!found) {
    hangUp();
    return;
  }
  life = found.life;
  time.schedule(life, travel('up'), () => {
    if (isDeaf) return;
    server = found.accept(student, serverEnd);
    toClient(() => ears.opened(clientEnd));
  });
}
