import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import type { Ledger } from './ledger.ts';

/** How one input ended: `stored`, a code, `close 1007`, `http 400`, or `silent`. */
export type Outcome = string;
export const SILENT: Outcome = 'silent';
/** Every input has its answer within this time. */
export const ANSWER_MS = 1_000;

export type EdgeName = 'socket.io' | 'plain' | 'observer' | 'http';

/** What lanes are opened with. */
export type World = {
  readonly port: number;
  readonly key: KeyObject;
  readonly ledger: Ledger;
  /** Codes and close codes that were heard, by how often. */
  readonly heard: Map<string, number>;
  answerMs: number;
};

/** One connection of one student over one edge, on which good and bad inputs take turns. */
export type Lane = {
  readonly edge: EdgeName;
  readonly student: string;
  readonly token: string;
  isOpen(): boolean;
  /** Sends an event that is fine; false where it was not stored. */
  good(): Promise<boolean>;
  /** One input as text, and what the server made of it. */
  ask(text: string): Promise<Outcome>;
  /** The text of an input that is fine, but for JSON text that is added to its body; remembered as sent. */
  wrap(extra?: string, n?: string): string;
  close(): void;
};

/** A lane of part B (wire.md): its inputs are batches. */
export type BatchLane = Lane & {
  readonly producer: string;
  readonly next: () => number;
  /** An event that is fine, remembered as sent. */
  event(more?: object): { event: string; sentAt: number; body: Record<string, unknown> };
  batch(events: readonly unknown[], more?: object): Record<string, unknown>;
  hello(more?: object): Record<string, unknown>;
};

let students = 0;

export async function newStudent(key: KeyObject): Promise<{ student: string; token: string }> {
  students += 1;
  const student = `fuzzed-${students}`;
  const subject = { person: student, school: 'school', installation: `installation-${students}` };
  return { student, token: (await signIngestToken(key, subject, Date.now())).token };
}

export const newProducer = () => randomBytes(16).toString('base64url');

/** Bodies of events that are fine, each known again by its tag. */
export function tagging(ledger: Ledger, student: string) {
  let n = 0;
  return {
    body(more: object = {}): Record<string, unknown> {
      n += 1;
      const body = { doc: `d${n % 7}`, n, tag: `${student}/${n}`, ...more };
      ledger.maybe.set(body.tag, { student, body });
      return body;
    },
    /** The event with this tag was acknowledged as stored. */
    stored(tag: string): void {
      const sent = ledger.maybe.get(tag);
      if (!sent) return;
      ledger.maybe.delete(tag);
      ledger.good.set(tag, sent);
    },
  };
}

const TOLD_TOO_MUCH = /\bat .+:\d+:\d+|node_modules|node:internal|\.ts:\d|\/server\/|\/var\/|[A-Z]:\\/;

/** Notes what was heard, and complains of an answer that shows a stack or a path. */
export function noteAnswer(world: World, answer: string, codes: readonly string[]): void {
  if (TOLD_TOO_MUCH.test(answer))
    world.ledger.complaints.push(`an answer tells too much: ${answer.slice(0, 200)}`);
  for (const code of codes) world.heard.set(code, (world.heard.get(code) ?? 0) + 1);
}

/** Waits for an answer, no longer than it may take. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T | typeof SILENT> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof SILENT>((done) => (timer = setTimeout(done, ms, SILENT)));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Answered = {
  readonly type?: string;
  readonly code?: string;
  readonly bad?: readonly { readonly code: string }[];
  readonly declined?: readonly { readonly code: string }[];
  readonly upTo?: number;
};

/** The end that an answer of part B tells. */
export function outcomeOf(world: World, text: string): { outcome: Outcome; answer: Answered } {
  const answer = JSON.parse(text) as Answered;
  const code = answer.code ?? answer.bad?.[0]?.code ?? answer.declined?.[0]?.code;
  noteAnswer(world, text, code ? [code] : []);
  return { outcome: code ?? answer.type ?? 'nothing', answer };
}
