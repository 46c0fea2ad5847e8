import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Server as SocketServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import type { Archive } from '#server/archive/archive.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { openArchiveMeasures } from '#server/archive/measures.ts';
import { archiveAudit } from '#server/audit.ts';
import { ingestTokenVerifier } from '#server/auth/ingest-token.ts';
import { watchConservation } from '#server/conservation.ts';
import { openDatabase } from '#server/database.ts';
import { lowerHelperThreads } from '#server/helper-threads.ts';
import type { HistogramCounts } from '#server/histogram.ts';
import { openHttpServer } from '#server/http-server.ts';
import { systemClock } from '#server/ingest/core.ts';
import type { IngestCounts } from '#server/ingest/counts.ts';
import { openIngest } from '#server/ingest/ingest.ts';
import { openKeptValues } from '#server/ingest/kept-values.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from '#server/ingest/learning-observer-socket.ts';
import { DEFAULT_LIMITS, type IngestLimits } from '#server/ingest/limits.ts';
import { openRecorder } from '#server/ingest/record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from '#server/ingest/socket.ts';
import { openLive } from '#server/live/live.ts';
import { addClass, openSchool, viewer } from '#server/live/school.bench.ts';
import { attachLive } from '#server/live/socket.ts';
import { openLog } from '#server/log.ts';
import { openLoopDelay } from '#server/loop-delay.ts';
import { loadModules } from '#server/modules.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';

import { type Memory, memoryAlive, memoryNow } from './soak-memory.ts';

export const HOST = 'soak.test';
export const ORIGIN = `http://${HOST}`;
export const CLASS_SIZE = 25;

export const studentOf = (n: number) => `st_${String(n).padStart(22, '0')}`;

export type SoakOptions = {
  readonly directory: string;
  /** Signs the tokens of the clients; the server takes the public half. */
  readonly key: KeyObject;
  /** Classes of 25, each with the teacher of its number. */
  readonly classes: number;
  readonly limits?: Partial<IngestLimits>;
  readonly trustedProxies?: readonly string[];
};

/**
 * The server as `main.ts` wires it, limits, file archive with sync, file store, real tokens, all modules and audit included.
 * Without pages; people and rights are written out by hand, so that 5,000 students need no import first.
 */
export async function openSoakServer(options: SoakOptions) {
  const clock = Date.now;
  lowerHelperThreads();
  const log = openLog('error');
  const registry = await loadModules();
  const archiveMeasures = openArchiveMeasures();
  const archive = await openFileArchive({
    directory: join(options.directory, 'archive'),
    software: 'soak',
    clock,
    onFatal,
    limits: { minFreeBytes: 0 },
    measures: archiveMeasures,
  });
  const store = await openFileStore({ folder: join(options.directory, 'states'), log });
  const owner = openOwner({ archive, store, registry, log, clock, limits: { hotBytes: 256 * 1024 ** 2 } });
  const recorder = openRecorder({ archive, clock: systemClock });
  const kept = openKeptValues({ file: join(options.directory, 'limits.jsonl'), clock, secret: 'soak' });
  const ingest = openIngest({
    archive,
    registry,
    identify: identifyBy(options.key),
    rules: { prepare: async () => {}, decide: () => null },
    recorder,
    version: 'soak',
    whenFolded: () => owner.caughtUp(),
    kept,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  });
  const conservation = watchConservation({ counts: ingest.counts, flight: () => ingest.core.flight, log });
  const school = schoolOf(options.classes);
  const live = openLive({
    registry,
    states: owner.states,
    access: school.access,
    audit: archiveAudit(archive, clock),
    clock,
    log,
    record: (event) => new Promise((done) => recorder.record({ ...event, source: 'queue' }, done)),
  });
  const loopDelay = openLoopDelay();
  const ownOrigins = new Set([ORIGIN]);
  const hosts = new Set([HOST]);
  const web = openHttpServer({
    hosts,
    ownOrigins,
    ingestOrigins: new Set(),
    trustedProxies: new Set(options.trustedProxies),
    isDev: false,
    isSecure: false,
    isOverloaded: loopDelay.isOverloaded,
  });
  const socketsServer = new HttpServer();
  const io = new SocketServer(socketsServer, {
    ...INGEST_IO_OPTIONS,
    path: '/socket.io',
    transports: ['websocket'],
    destroyUpgrade: false,
    cleanupEmptyChildNamespaces: true,
  });
  const isIngestOrigin = () => false;
  attachIngest({ io, ingest, isIngestOrigin });
  const dashboards = attachLive({ io, live, viewerOf: async (cookie) => viewer(cookie ?? ''), ownOrigins });
  const wss = new WebSocketServer(OBSERVER_WS_OPTIONS);
  const observers = openLearningObserverEdge({ wss, ingest, isIngestOrigin });
  web.serve((_request, response) => void response.writeHead(404).end(), {
    'socket.io': (request, socket, head) => socketsServer.emit('upgrade', request, socket, head),
    'learning-observer': (request, socket, head) => observers.upgrade(request, socket, head),
    next: (_request, socket) => socket.destroy(),
  });
  await owner.caughtUp();
  await new Promise<void>((done) => web.server.listen(0, '127.0.0.1', 4_096, done));
  const { port } = web.server.address() as AddressInfo;
  hosts.add(`127.0.0.1:${port}`);
  return {
    port,
    archive,
    archiveMeasures,
    ingest,
    owner,
    live,
    conservation,
    async close() {
      loopDelay.close();
      conservation.close();
      web.server.close();
      await ingest.stop();
      kept.close();
      observers.close();
      dashboards.close();
      live.close();
      await owner.close();
      recorder.close();
      await archive.close();
      await store.close();
      await io.close();
      web.destroySockets();
    },
  };
}

function onFatal(error: unknown): never {
  throw error;
}

function identifyBy(key: KeyObject) {
  const verify = ingestTokenVerifier(key, Date.now);
  return {
    async byToken(token: string) {
      const found = await verify(token);
      if (!found) return null;
      const { person: student, school, installation: credential, expiresAt } = found;
      return { student, school, kind: 'verified' as const, credential, expiresAt };
    },
    byCookie: async () => null,
    byClaim: async () => 'claims-off' as const,
  };
}

function schoolOf(classes: number) {
  const school = openSchool();
  for (let i = 0; i < classes; i++) {
    const students = Array.from({ length: CLASS_SIZE }, (_, n) => studentOf(i * CLASS_SIZE + n));
    addClass(school, `c${i}`, [`t${i}`], students);
  }
  return school;
}

/** What is durable, told by producer: every seq once, in order, or a sentence about what is not. */
export async function readLedger(
  archive: Archive,
): Promise<{ readonly stored: ReadonlyMap<string, number>; readonly faults: readonly string[] }> {
  const stored = new Map<string, number>();
  const faults: string[] = [];
  for await (const entries of archive.read(0)) {
    for (const { k, p = '', f = 0, ev } of entries) {
      if (k !== 'batch' || p === '' || p.startsWith('~')) continue;
      const last = stored.get(p) ?? 0;
      if (f !== last + 1) faults.push(`${p}: ${f} follows ${last}`);
      stored.set(p, f + (ev?.length ?? 0) - 1);
    }
  }
  return { stored, faults };
}

/** What the server process tells the load process. */
export type FromServer =
  | { readonly port: number; readonly key: string }
  | {
      readonly counts: IngestCounts;
      readonly difference: number;
      /** The highest seq of each producer in the archive, read whole. */
      readonly seqs: readonly (readonly [producer: string, last: number])[];
      readonly faults: number;
      readonly behind: number;
      /** Once a second since the measuring began; with `begin-collecting` once in five, each after a collection. */
      readonly memory: readonly Memory[];
      /** What was alive when the measuring began and when it ended, MB of the heap. */
      readonly alive: readonly [number, number];
      /** Share of one core since the measuring began. */
      readonly cores: number;
      readonly loopDelayP99Ms: number;
      readonly loopDelayMaxMs: number;
      readonly syncs: HistogramCounts;
      readonly rows: HistogramCounts;
    };

async function serve(classes: number, database: string | undefined): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-soak-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  // Nothing asks it here; it is in the process for the memory that it takes in one that serves a school.
  if (database === 'with-database') await openDatabase({ varDir: directory, isDemo: true });
  const key = generateKeyPairSync('ed25519').privateKey;
  const server = await openSoakServer({ directory, key, classes });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  let memory: Memory[] = [];
  let aliveAtFirst = 0;
  let began = { at: performance.now(), cpu: process.cpuUsage() };
  process.on('message', async (message) => {
    if (message === 'begin' || message === 'begin-collecting') {
      memory = [];
      aliveAtFirst = memoryAlive().heapUsed;
      delay.enable();
      began = { at: performance.now(), cpu: process.cpuUsage() };
      const isCollecting = message === 'begin-collecting';
      const look = isCollecting ? memoryAlive : memoryNow;
      setInterval(() => memory.push(look()), isCollecting ? 5_000 : 1_000).unref();
      return;
    }
    const cpu = process.cpuUsage(began.cpu);
    const cores = (cpu.user + cpu.system) / 1000 / (performance.now() - began.at);
    const loopDelayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - 10);
    const loopDelayMaxMs = delay.max / 1e6;
    const alive = [aliveAtFirst, memoryAlive().heapUsed] as const;
    const measured = memory;
    memory = [];
    await server.owner.caughtUp();
    const { stored, faults } = await readLedger(server.archive);
    tell({
      counts: server.ingest.counts(),
      difference: server.conservation.difference(),
      seqs: [...stored],
      faults: faults.length,
      behind: server.owner.status().behind,
      memory: measured,
      alive,
      cores,
      loopDelayP99Ms,
      loopDelayMaxMs,
      syncs: server.archiveMeasures.syncMs.snapshot(),
      rows: server.live.measures.rowMs.snapshot(),
    });
  });
  process.on('disconnect', () => process.exit());
  tell({ port: server.port, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() });
}

function tell(message: FromServer): void {
  process.send?.(message);
}

if (process.argv[2] === 'serve') await serve(Number(process.argv[3]), process.argv[4]);
