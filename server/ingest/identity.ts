/** Whose events a connection carries: proved by its credential, fixed for its life. Nothing in a payload changes it. */
export type Identity = {
  readonly student: string;
  readonly school: string;
  readonly kind: 'verified' | 'claimed';
  /** The installation or session that proved it: limits count per student and per this. */
  readonly credential: string;
  /** When the credential ends, ms; null for a session that is asked about on its own. */
  readonly expiresAt: number | null;
};

/** How edges find out who is behind a connection. Implemented by `server/auth`; each returns null when nothing is proved. */
export type Identify = {
  /** A JWS for audience `ingest` (people.md §9). */
  byToken(token: string): Promise<Identity | null>;
  /** The value of the `cookie` header; the caller has compared `Origin` before. */
  byCookie(cookie: string | undefined): Promise<Identity | null>;
  /** A claim of the predecessor's protocol (wire.md §A7): found or made where the domain's setting allows, else a refusal. */
  byClaim(claim: Claim): Promise<Identity | 'claims-off' | 'claim-unknown'>;
};

/** `method` is the predecessor's; `domain` is lower case, `local` for claims without an address. */
export type Claim = {
  readonly method: 'chromebook' | 'local_storage' | 'hash_identify' | 'testcase_auth';
  readonly domain: string;
  /** External id: `google:<digits>` or the tag, hash or user id as sent. */
  readonly value: string;
  readonly email?: string;
  readonly address: string;
};

/** May events of this student and source be collected now? Null: yes. Answered from memory, never by a query. */
export type CollectionRules = {
  /** Makes sure that the student's rules are in memory; called once a connection. */
  prepare(student: string): Promise<void>;
  decide(student: string, capturedAt: number): import('#server/errors.ts').DeclinedCode | 'not-ready' | null;
  /** When collecting begins again after `outside-window`, ms; null where that is not known. */
  reopensAt?(student: string, at: number): number | null;
};
