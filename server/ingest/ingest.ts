import { randomBytes } from 'node:crypto';
import type { Archive } from '#server/archive/archive.ts';
import { CLOSE } from '#server/errors.ts';
import { openHistogram } from '#server/histogram.ts';
import type { Registry } from '#server/registry.ts';
import { acceptBatch } from './accept.ts';
import { acceptBadFrame, type BadFrameInput } from './accept-bad-frame.ts';
import { openBackPressure } from './back-pressure.ts';
import type { BlobKey } from './blobs.ts';
import { type ByStudent, leaveStudent, type OpenConnection, ofStudent, type Peer } from './connections.ts';
import { type Clock, type Core, REFUSALS, systemClock } from './core.ts';
import { type Edge, type IngestCounts, openCounter } from './counts.ts';
import { type DedupeTable, openDedupe } from './dedupe.ts';
import type { CollectionRules, Identify, Identity } from './identity.ts';
import type { KeptValues } from './kept-values.ts';
import { DEFAULT_LIMITS, type IngestLimits, openMeters } from './limits.ts';
import type { Received } from './plan-batch.ts';
import type { Answer, Hello } from './protocol.ts';
import type { Recorder } from './record.ts';
import { openSources } from './sources.ts';

export type IngestOptions = {
  readonly archive: Archive;
  readonly registry: Pick<Registry, 'sources' | 'reducers'>;
  readonly identify: Identify;
  readonly rules: CollectionRules;
  readonly recorder: Recorder;
  readonly clock?: Clock;
  readonly limits?: IngestLimits;
  /** Where what limits have counted outlives the process; default: nowhere. `stop` keeps all and leaves it open. */
  readonly kept?: KeptValues;
  readonly version?: string;
  /** Resolves once everything archived so far is folded; the barrier of the old protocol's `fetch_blob`. */
  readonly whenFolded?: () => Promise<void>;
  /** The JSON text that an activity of the old protocol saved last; null: nothing yet. */
  readonly readBlob?: ReadBlob;
};

export type ReadBlob = (key: BlobKey) => Promise<string | null>;

export type Opening = {
  readonly identity: Identity;
  readonly edge: Edge;
  readonly peer: Peer;
  /** False: `connected` is written later, by `recordConnected`. */
  readonly isSilent?: boolean;
  readonly client?: Readonly<Record<string, string>>;
};

/** The one way in for everything that students' tools report; the edges in front of it only translate. */
export type Ingest = {
  readonly core: Core;
  readonly kept: KeptValues | undefined;
  readonly identify: Identify;
  readonly whenFolded: () => Promise<void>;
  readonly readBlob: ReadBlob;
  /** Call after `rules.prepare`. */
  open(opening: Opening): OpenConnection;
  recordConnected(connection: OpenConnection): void;
  close(connection: OpenConnection, reason: string): void;
  hello(connection: OpenConnection, hello: Hello, at: number): Answer;
  /** A batch after `hello`. Calls `answer` once, when every event has its end durably, or is refused. */
  accept(connection: OpenConnection, received: Received, answer: (answer: Answer) => void): void;
  /** A frame that is no batch becomes a bad row without a seq. `original` null: its text must not be kept. */
  acceptBadFrame(connection: OpenConnection, frame: BadFrameInput, answer: (answer: Answer) => void): void;
  connections(): Iterable<OpenConnection>;
  ofStudent(student: string): Iterable<OpenConnection>;
  /** Ends what was opened by a credential, or as a student: a withdrawn right. */
  disconnect(who: { readonly student?: string; readonly credential?: string }, code: string): void;
  counts(): IngestCounts;
  /** No new batches; everyone is told; resolves when all that was in flight is answered. */
  stop(): Promise<void>;
};

const JITTER_MS = 15_000;

export function openIngest(options: IngestOptions): Ingest {
  const clock = options.clock ?? systemClock;
  const limits = options.limits ?? DEFAULT_LIMITS;
  const core: Core = {
    archive: options.archive,
    sources: openSources(options.registry.sources.values(), options.registry.reducers),
    rules: options.rules,
    clock,
    limits,
    counter: openCounter(),
    flight: { socket: 0, 'learning-observer': 0, http: 0 },
    acknowledgement: openHistogram(),
    version: options.version ?? '0',
    isStopping: false,
  };
  const meters = openMeters(limits, options.kept);
  const dedupe = openDedupe(options.archive.producers(), clock.now());
  const connections = new Set<OpenConnection>();
  const students: ByStudent = new Map();
  const back = openBackPressure(core, connections);
  let idle: (() => void) | undefined;
  let inFlight = 0;

  const settle = () => {
    inFlight -= 1;
    if (inFlight === 0) idle?.();
  };

  return {
    core,
    kept: options.kept,
    identify: options.identify,
    whenFolded: options.whenFolded ?? (() => Promise.resolve()),
    readBlob: options.readBlob ?? (async () => null),
    open(opening) {
      const connection: OpenConnection = {
        id: randomBytes(12).toString('base64url'),
        edge: opening.edge,
        identity: opening.identity,
        meter: meters.meterOf(opening.identity.student, clock.monotonic()),
        producer: null,
        offset: 0,
        unansweredEvents: 0,
        unansweredBytes: 0,
        notes: new Set(),
        peer: opening.peer,
        lastHeardAt: clock.monotonic(),
        isPaused: false,
        isRecorded: false,
        isEnding: false,
        client: opening.client,
      };
      connections.add(connection);
      ofStudent(students, connection).add(connection);
      if (!opening.isSilent) recordConnected(options.recorder, connection);
      return connection;
    },
    recordConnected: (connection) => recordConnected(options.recorder, connection),
    close(connection, reason) {
      if (!connections.delete(connection)) return;
      back.forget(connection);
      leaveStudent(students, connection);
      if (connection.producer) dedupe.release(connection.producer);
      meters.release(connection.meter, clock.now());
      if (!connection.isRecorded) return;
      const body = { connection: connection.id, reason };
      options.recorder.record({
        student: connection.identity.student,
        source: 'connection',
        event: 'disconnected',
        body,
      });
    },
    hello: (connection, hello, at) =>
      greet({ core, dedupe, recorder: options.recorder }, connection, hello, at),
    accept(connection, received, answer) {
      const events = received.batch.events.length;
      const { bytes } = received;
      if (connection.unansweredEvents >= 2 * limits.unansweredEvents) {
        core.counter.received(connection.edge, events);
        core.counter.ended(connection.edge, 'refused', events, 'too-many-in-flight');
        const code = 'too-many-in-flight';
        answer({
          type: 'refused',
          code,
          message: REFUSALS[code],
          from: received.batch.from,
          retryAfterMs: 1_000,
        });
        return;
      }
      inFlight += 1;
      const receivedAt = clock.monotonic();
      connection.lastHeardAt = receivedAt;
      core.flight[connection.edge] += events;
      connection.unansweredEvents += events;
      connection.unansweredBytes += bytes;
      back.check(connection);
      acceptBatch(core, connection, received, (given) => {
        connection.unansweredEvents -= events;
        connection.unansweredBytes -= bytes;
        core.flight[connection.edge] -= events;
        core.acknowledgement.note(clock.monotonic() - receivedAt);
        if (connection.isPaused) back.relieve(connection);
        answer(given);
        settle();
      });
    },
    acceptBadFrame(connection, frame, answer) {
      inFlight += 1;
      core.flight[connection.edge] += 1;
      acceptBadFrame(core, connection, frame, (given) => {
        core.flight[connection.edge] -= 1;
        answer(given);
        settle();
      });
    },
    connections: () => connections,
    ofStudent: (student) => students.get(student) ?? [],
    disconnect(who, code) {
      for (const connection of connections) {
        const { identity } = connection;
        if (identity.student !== who.student && identity.credential !== who.credential) continue;
        connection.peer.push('stop', { code });
        connection.peer.close(CLOSE.revoked);
      }
    },
    counts: () => core.counter.snapshot(),
    async stop() {
      for (const { peer } of connections) {
        peer.push('going-away', { reconnectAfterMs: Math.floor(Math.random() * JITTER_MS) });
        peer.pause();
      }
      core.isStopping = true;
      if (inFlight > 0) await new Promise<void>((resolve) => (idle = resolve));
      meters.keepAll(clock.now(), clock.monotonic());
      options.recorder.close();
    },
  };
}

function recordConnected(recorder: Recorder, connection: OpenConnection): void {
  if (connection.isRecorded) return;
  connection.isRecorded = true;
  const { identity, client } = connection;
  const body = {
    connection: connection.id,
    edge: connection.edge,
    identity: identity.kind,
    ...(client ? { client } : {}),
  };
  recorder.record({ student: identity.student, source: 'connection', event: 'connected', body });
}

type Greeting = { readonly core: Core; readonly dedupe: DedupeTable; readonly recorder: Recorder };

function greet(
  { core, dedupe, recorder }: Greeting,
  connection: OpenConnection,
  hello: Hello,
  at: number,
): Answer {
  const { student } = connection.identity;
  const met = dedupe.hello(student, hello);
  if (typeof met === 'string') {
    const message = met === 'forbidden' ? 'this producer belongs to somebody else' : 'this epoch is over';
    return { type: 'refused', code: met, message };
  }
  if (connection.producer) dedupe.release(connection.producer);
  connection.producer = met.producer;
  connection.offset = at - hello.now;
  if (met.lost > 0)
    recorder.record({ student, source: 'connection', event: 'lost', body: { count: met.lost } });
  const { frameBytes, frameEvents, unansweredEvents, unansweredBytes } = core.limits;
  const limits = { frameBytes, events: frameEvents, unansweredEvents, unansweredBytes };
  return { type: 'welcome', next: met.next, at, limits };
}
