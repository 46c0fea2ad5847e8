import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type IngestSubject, signIngestToken } from '#server/auth/ingest-token.ts';
import { seededRandom } from '#server/simulate/random.ts';
import type { Tool } from './captured.ts';
import type { Ledger, SocketLedger } from './ledger.ts';
import { httpLine, plainLine, socketLine } from './lines.ts';
import { type LoadClient, openLoadClient } from './load-client.ts';
import { type ObserverClient, openObserverClient } from './observer-client.ts';

/** Many students' tools at once, in this process. */
export type Load = {
  readonly clients: readonly LoadClient[];
  ledgers(): readonly Ledger[];
  sockets(): readonly SocketLedger[];
  inFlight(): number;
  acknowledged(): number;
  acknowledgedWithin(ms: number): number;
  heard(what: string): number;
  /** No new events; what clients hold is still sent. */
  stopCapturing(): void;
  /** No new events; resolves when every client has been told the end of all that it holds. Rejects after so many ms. */
  drain(withinMs?: number): Promise<void>;
  moveTo(url: string): void;
  close(): void;
};

export type LoadOptions = {
  readonly url: string;
  readonly key: KeyObject;
  readonly seed: number;
  /** Connections of clients with ids; every other two share a student, as two devices do. */
  readonly connections?: number;
  /** Connections of clients of the old protocol. */
  readonly observers?: number;
  readonly cutEvery?: number;
  /** Who the clients with ids are, one connection each; default: invented students. */
  readonly subjects?: readonly IngestSubject[];
  readonly tool?: () => Tool;
  /** How far clocks of clients with ids may be from the true time, ms. */
  readonly clockShiftMs?: number;
  /** How long clients with ids rest after each frame, ms, and who hears how long each that was stored waited. */
  readonly pauseMs?: number;
  readonly onStored?: (ms: number) => void;
};

const POLL_MS = 20;
/** Most by Socket.IO, as in a school; the other two edges for clients with ids beside it. */
const LINES = [socketLine, socketLine, plainLine, socketLine, httpLine];

export function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

export function openLoad(options: LoadOptions): Load {
  const { url, key, seed, connections = 10, observers = 2, cutEvery = 200, tool, clockShiftMs = 0 } = options;
  const random = seededRandom(seed);
  const own = () => random.below(2 ** 31);
  const subjects =
    options.subjects ??
    Array.from({ length: connections }, (_, i) => subjectOf(`student-${seed}-${Math.ceil(i * 0.75)}`));
  const clients = subjects.map((subject, i) =>
    openLoadClient({
      url,
      token: tokenOf(key, subject),
      student: subject.person,
      seed: own(),
      openLine: LINES[i % LINES.length] ?? socketLine,
      cutEvery,
      clockShiftMs,
      ...(tool ? { tool: tool() } : {}),
      ...(options.pauseMs ? { pauseMs: options.pauseMs } : {}),
      ...(options.onStored ? { onStored: options.onStored } : {}),
    }),
  );
  const old: readonly ObserverClient[] = Array.from({ length: observers }, (_, i) => {
    const student = `observer-${seed}-${i}`;
    return openObserverClient({ url, token: tokenOf(key, subjectOf(student)), student, seed: own() });
  });
  const sum = (of: (client: LoadClient) => number) =>
    clients.reduce((total, client) => total + of(client), 0);
  const stopCapturing = () => {
    for (const client of [...clients, ...old]) client.stopCapturing();
  };
  return {
    clients,
    stopCapturing,
    ledgers: () => clients.map(({ ledger }) => ledger),
    sockets: () => old.flatMap(({ sockets }) => sockets),
    inFlight: () => sum((client) => client.inFlight()),
    acknowledged: () => sum(({ ledger }) => ledger.acknowledged),
    acknowledgedWithin: (ms) => sum((client) => client.acknowledgedWithin(ms)),
    heard: (what) => sum(({ heard }) => heard.get(what) ?? 0),
    async drain(withinMs = 30_000) {
      stopCapturing();
      const until = performance.now() + withinMs;
      while (sum((client) => client.held()) > 0) {
        if (performance.now() > until)
          throw new Error(`clients still hold ${sum((client) => client.held())} events`);
        await new Promise((done) => setTimeout(done, POLL_MS));
      }
      const late = new Promise<never>((_done, fail) => {
        setTimeout(() => fail(new Error('clients without ids wait for answers')), withinMs).unref();
      });
      await Promise.race([Promise.all(old.map((client) => client.settled())), late]);
    },
    moveTo(to) {
      for (const client of [...clients, ...old]) client.moveTo(to);
    },
    close() {
      for (const client of [...clients, ...old]) client.close();
    },
  };
}

function subjectOf(person: string): IngestSubject {
  return { person, school: 'proof', installation: person };
}

function tokenOf(key: KeyObject, subject: IngestSubject): () => Promise<string> {
  return async () => (await signIngestToken(key, subject, Date.now())).token;
}
