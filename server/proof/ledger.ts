/** What a client meant its event to be; the server has to end it accordingly. */
export type Kind = 'good' | 'bad' | 'declined';
/** `unknown`: not acknowledged, or acknowledged by a `welcome`, which does not say how it ended. */
export type End = 'unknown' | 'stored' | 'bad' | 'declined';

export type LedgerRow = { readonly kind: Kind; readonly hash: string; end: End };

/** Every sending of every event, by how it ended; `unanswered`: the connection was cut before. */
export type Sendings = {
  sent: number;
  stored: number;
  bad: number;
  declined: number;
  refused: number;
  unanswered: number;
};

/** What a client with ids knows: everything that it sent and what it was told. Row i is the event with seq i + 1. */
export type Ledger = {
  readonly producer: string;
  readonly epoch: number;
  readonly student: string;
  readonly rows: LedgerRow[];
  /** Every seq up to here has its end, durably, as far as the client was told. */
  acknowledged: number;
  /** Highest seq that was ever sent. */
  highest: number;
  readonly sendings: Sendings;
  /** Answers that no server may give. */
  readonly complaints: string[];
};

export function newLedger(producer: string, student: string): Ledger {
  const sendings = { sent: 0, stored: 0, bad: 0, declined: 0, refused: 0, unanswered: 0 };
  return {
    producer,
    epoch: 1,
    student,
    rows: [],
    acknowledged: 0,
    highest: 0,
    sendings,
    complaints: [],
  };
}

/** Notes that all up to a seq has its end. */
export function acknowledge(ledger: Ledger, upTo: number): number {
  if (upTo > ledger.highest)
    ledger.complaints.push(`${ledger.producer} was told of ${upTo}, and sent only ${ledger.highest}`);
  const news = Math.max(0, upTo - ledger.acknowledged);
  ledger.acknowledged = Math.max(ledger.acknowledged, upTo);
  return news;
}

/** Notes how an event ended; an end other than the one that its kind asks for is a complaint. */
export function noteEnd(ledger: Ledger, seq: number, end: Exclude<End, 'unknown'>): void {
  const row = ledger.rows[seq - 1];
  if (!row) return void ledger.complaints.push(`${ledger.producer} was told of ${seq}, which it never made`);
  if (end !== 'stored' && end !== row.kind)
    ledger.complaints.push(`${ledger.producer}:${seq} is ${row.kind} and was ended as ${end}`);
  // A resend of a bad row is a duplicate, and is answered as stored.
  if (row.end === 'unknown' || row.end === 'stored') row.end = end;
}

/** A frame of a client without ids: it knows its event again by its tag. */
export type TaggedFrame = { readonly tag: string; readonly kind: Kind; told: End | 'refused' };

/** One socket of a client without ids. Control frames have no row. */
export type SocketLedger = {
  readonly student: string;
  readonly frames: Map<number, TaggedFrame>;
  /** Every frame up to here has its end, durably. */
  acknowledged: number;
};
