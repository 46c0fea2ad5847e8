import { Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import next from 'next';
import { Server as SocketServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { blob } from '#modules/kit/index.ts';
import { seedDemoSchool } from '../prisma/demo-school.ts';
import { watchDenials } from './access/denials.ts';
import { openAccess } from './access/open-access.ts';
import { openArchiveMeasures } from './archive/measures.ts';
import { archiveAudit } from './audit.ts';
import { openAuth } from './auth/open-auth.ts';
import { ownOrigins } from './auth/origin.ts';
import { watchConservation } from './conservation.ts';
import { openDatabase } from './database.ts';
import { playDemo } from './demo.ts';
import { openHttpServer } from './http-server.ts';
import { postEvents } from './ingest/http.ts';
import { openIngest } from './ingest/ingest.ts';
import { openKeptValues } from './ingest/kept-values.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from './ingest/learning-observer-socket.ts';
import { endLostConnections } from './ingest/lost-connections.ts';
import { openRecorder } from './ingest/record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from './ingest/socket.ts';
import { openLive } from './live/live.ts';
import { attachLive } from './live/socket.ts';
import { complain, openLog } from './log.ts';
import { openLoopDelay } from './loop-delay.ts';
import { openMetrics } from './metrics.ts';
import { serveMetrics } from './metrics-server.ts';
import { loadModules } from './modules.ts';
import { readiness } from './ready.ts';
import { openRoster } from './roster/open-roster.ts';
import { queryCards, type Runtime, setRuntime } from './runtime.ts';
import { openArchive, openShared } from './shared.ts';
import { EXIT, failStartOf, readSettings, refuseUnsafe, requireLoopback, whenServing } from './starting.ts';
import { openOwnerMeasures } from './stream/measures.ts';
import { openOwner } from './stream/owner.ts';
import { openWatchdog } from './stream/watchdog.ts';

const STOP_MS = 10_000;
/** Dashboards come back within this time of their own. */
const GOING_AWAY_MS = 2000;
/** For clients to hear that we go; whatever they sent and have no answer to, they keep. */
const FAREWELL_MS = 100;
const VERSION = '0.1.0';

// Under `node --watch` every child reports its imports over the channel that Next's own workers talk on, and they stop.
delete process.env.WATCH_REPORT_DEPENDENCIES;

const startedAt = performance.now();
let isServing = false;
let isStopping = false;
const args = process.argv.slice(2);
const env = readSettings(process.env, args);
const failStart = failStartOf(env);
const log = openLog(env.LOG_LEVEL);
const clock = Date.now;
process.env.NEXTAUTH_URL = env.publicUrl; // next-auth reads it by itself

process.on('uncaughtException', (error) => {
  // Message and stack go to the terminal alone: they may quote what a module was given.
  console.error(error);
  process.exit(EXIT.other);
});

if (env.isDemo) requireLoopback(env);
else await refuseUnsafe(env, process.env, args);

const origins = new Set([...ownOrigins(env.publicUrl, env.isDemo)]);
const ingestOrigins = new Set(env.INGEST_ORIGINS);
const web = openHttpServer({
  hosts: new Set([...origins].map((origin) => new URL(origin).host)),
  ownOrigins: origins,
  ingestOrigins,
  trustedProxies: new Set(env.TRUSTED_PROXIES),
  isDev: env.isDev,
  isSecure: env.publicUrl.startsWith('https:'),
  isOverloaded: () => loopDelay.isOverloaded(),
});
// Next and Socket.IO each add listeners of their own to the server they are given. Give them servers that never
// listen, so that `openHttpServer` alone decides who gets a request or an upgrade. (Next's `getUpgradeHandler()` does nothing.)
const pagesServer = new HttpServer();
const socketsServer = new HttpServer();
const pages = next({ dev: env.isDev, hostname: env.HOST, port: env.PORT, httpServer: pagesServer });

const archiveMeasures = openArchiveMeasures();
const ownerMeasures = openOwnerMeasures();
const [registry, archive, database] = await Promise.all([
  loadModules(),
  openArchive(env, log, { software: VERSION, clock, measures: archiveMeasures, onFatal: endWithDisk }),
  openDatabase({
    ...(env.DATABASE_URL ? { url: env.DATABASE_URL } : {}),
    varDir: env.varDir,
    isDemo: env.isDemo,
  }),
  pages.prepare(),
]).catch(failStart);

if (env.isDemo) await seedDemoSchool(database.prisma);
const { store, notices, close: closeShared } = await openShared({ env, archive, log });
const owner = openOwner({
  archive,
  store,
  registry,
  log,
  clock,
  notices,
  watched: openWatchdog({ folder: env.varDir, reducers: registry.reducers }),
  limits: { hotBytes: env.HOT_STATES_MB * 1024 ** 2 },
  measures: ownerMeasures,
});
const audit = archiveAudit(archive, clock);
const access = openAccess(database.prisma, notices, clock, {
  onDenied: watchDenials(database.prisma, audit, clock, (_viewer, count) =>
    log.warn({ count }, 'one viewer was denied many looks'),
  ),
  onError: complain(log, 'access cannot be read again'),
});
const rights = { prisma: database.prisma, audit, notices, clock };
const auth = await openAuth(rights, access, {
  ...env,
  origins: () => [...origins],
  onError: complain(log, 'rules cannot be read again'),
});
const recorder = openRecorder({ archive, clock: { now: clock, monotonic: () => performance.now() } });
const ingest = openIngest({
  archive,
  registry,
  identify: auth.identify,
  rules: auth.rules,
  recorder,
  version: VERSION,
  whenFolded: () => owner.caughtUp(),
  readBlob: async (key) => (await owner.states.read(blob, key)).state,
  kept: openKeptValues({
    file: join(env.varDir, 'limits.jsonl'),
    clock,
    secret: env.NEXTAUTH_SECRET,
    onError: complain(log, 'limits are not kept over a restart'),
  }),
});
access.onChange(({ kind, personId, sessionId }) => {
  if (kind === 'session-ended' && sessionId) ingest.disconnect({ credential: sessionId }, 'session-ended');
  if (kind === 'person' && personId) ingest.disconnect({ student: personId }, 'revoked');
});
void endLost().catch(complain(log, 'lost connections could not be ended'));
const live = openLive({
  registry,
  states: owner.states,
  access,
  audit,
  clock,
  log,
  record: (event) => new Promise((done) => recorder.record({ ...event, source: 'queue' }, done)),
});

const io = new SocketServer(socketsServer, {
  ...INGEST_IO_OPTIONS,
  transports: ['websocket'],
  path: '/socket.io',
  destroyUpgrade: false,
  cleanupEmptyChildNamespaces: true,
});
const isIngestOrigin = (origin: string) => origins.has(origin) || ingestOrigins.has(origin);
attachIngest({ io, ingest, isIngestOrigin });
const liveEdge = attachLive({ io, live, viewerOf: auth.viewerOf, ownOrigins: origins });
const observerEdge = openLearningObserverEdge({
  wss: new WebSocketServer(OBSERVER_WS_OPTIONS),
  ingest,
  isIngestOrigin,
});

setRuntime({
  isDemo: env.isDemo,
  publicUrl: env.publicUrl,
  prisma: database.prisma,
  auth,
  access,
  audit,
  roster: openRoster(rights, access),
  queries: () => queryCards(registry),
  health: () => ({ ok: true, version: VERSION }),
  ready,
  ingest: { post: (request) => postEvents(ingest, request), token: auth.ingestToken },
} satisfies Runtime);

const handle = pages.getRequestHandler();
web.serve(
  (request, response) => {
    if (request.url?.startsWith('/socket.io/')) socketsServer.emit('request', request, response);
    else void handle(request, response);
  },
  {
    'socket.io': (request, socket, head) => socketsServer.emit('upgrade', request, socket, head),
    'learning-observer': (request, socket, head) => observerEdge.upgrade(request, socket, head),
    // Next listens from its first request on; a dangling handshake would hold up every other socket of that browser.
    next: (request, socket, head) =>
      void (pagesServer.emit('upgrade', request, socket, head) || socket.destroy()),
  },
);
// From here on: what the start took is no overload.
const loopDelay = openLoopDelay();
const conservation = watchConservation({ counts: ingest.counts, flight: () => ingest.core.flight, log });
const metrics =
  env.METRICS_PORT === undefined
    ? undefined
    : await serveMetrics(
        openMetrics({
          archive,
          archiveMeasures,
          ingest,
          conservation,
          owner,
          ownerMeasures,
          live,
          dashboards: liveEdge.sockets,
          loopDelay,
          isReady: () => ready().ready,
        }),
        env.METRICS_PORT,
      ).catch(failStart);
isServing = true;
web.server.once('error', failStart);
web.server.listen(env.PORT, env.HOST, () => {
  const ms = Math.round(performance.now() - startedAt);
  log.info({ ms, port: env.PORT, host: env.HOST, mode: env.isDemo ? 'demo' : 'production' }, 'ready');
  whenServing();
  if (env.isDemo) console.log(`\n  Learning Observer, demo school: ${env.publicUrl}   (ready in ${ms} ms)\n`);
});
const demo = env.isDemo
  ? playDemo({ url: `http://127.0.0.1:${env.PORT}`, varDir: env.varDir, pupils: env.DEMO_PUPILS })
  : undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal, 0));

/** Once what a crash left is folded: whoever was connected then and is not now has no signal. */
async function endLost(): Promise<void> {
  await owner.caughtUp();
  await owner.flush();
  const isOpen = (connection: string) => [...ingest.connections()].some(({ id }) => id === connection);
  const count = await endLostConnections({
    students: store.students(),
    states: owner.states,
    recorder,
    isOpen,
  });
  if (count > 0) log.info({ count }, 'connections of a crash were ended');
}

function ready() {
  return readiness({
    archive: { refusing: archive.refusing(), pressure: archive.pressure() },
    owner: owner.status(),
    isOverloaded: loopDelay.isOverloaded(),
    isStopping,
  });
}

/**
 * Graceful stop (delivery.md §13): clients are told and come back after a time of their own, what is in flight is
 * answered, states are flushed, the segment is sealed. Ten seconds at most; a second signal ends at once.
 */
async function stop(reason: string, code: number): Promise<void> {
  if (isStopping) process.exit(code || EXIT.other);
  isStopping = true;
  log.info({ signal: reason }, 'stopping');
  setTimeout(() => process.exit(code), STOP_MS).unref();
  demo?.stop();
  loopDelay.close();
  metrics?.close();
  web.server.close();
  liveEdge.goingAway(GOING_AWAY_MS);
  await ingest.stop();
  ingest.kept?.close();
  conservation.close();
  observerEdge.close();
  await owner.flush();
  await owner.close();
  recorder.close();
  liveEdge.close(); // before the channels: the end of each look is still audited
  live.close();
  auth.close();
  access.close();
  await archive.close();
  await closeShared();
  await io.close();
  web.destroySockets();
  await Promise.allSettled([pages.close(), database.close()]);
  process.exit(code);
}

/** The disk failed, so nothing about it is known any more: nobody is answered, nothing is synced; the next start decides what survived. */
function endWithDisk(error: unknown): void {
  console.error(error);
  setTimeout(() => process.exit(EXIT.disk), FAREWELL_MS);
  if (!isServing) return;
  void ingest.stop();
  liveEdge.goingAway(GOING_AWAY_MS);
}
