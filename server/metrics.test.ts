import type { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { openArchiveMeasures } from './archive/measures.ts';
import { watchConservation } from './conservation.ts';
import { openHistogram } from './histogram.ts';
import {
  ask,
  batch,
  connected,
  hello,
  openTestServer,
  save,
  type TestServer,
} from './ingest/ingest-server.bench.ts';
import { ADA, CLAIM, connectPlain, event, SOURCE } from './ingest/observer.testing.ts';
import { countedQuery, openBench } from './live/school.bench.ts';
import { openMetrics } from './metrics.ts';
import { serveMetrics } from './metrics-server.ts';
import { openMemoryStore } from './state/memory-store.ts';
import { openOwnerMeasures } from './stream/measures.ts';
import { openOwner } from './stream/owner.ts';
import { memoryLog } from './stream/testing.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const NAMES = [
  'ingest_received_total',
  'ingest_ended_total',
  'ingest_codes_total',
  'ingest_notes_total',
  'ingest_in_flight',
  'ingest_connections',
  'ingest_conservation_difference',
  'ingest_acknowledgement_seconds',
  'archive_queue_share',
  'archive_refusing',
  'archive_sync_seconds',
  'archive_group_entries',
  'archive_groups_total',
  'archive_entries_total',
  'archive_bytes_total',
  'archive_free_bytes',
  'archive_unsealed_segments',
  'archive_end_offset',
  'owner_phase',
  'owner_applied_offset',
  'owner_checkpoint_offset',
  'owner_behind_entries',
  'owner_dirty_bytes',
  'owner_hot_bytes',
  'owner_hot_students',
  'owner_store_silent',
  'owner_rebuild_done',
  'owner_rebuild_total',
  'owner_flush_seconds',
  'owner_flush_failures_total',
  'owner_halts_total',
  'live_sockets',
  'live_channels',
  'live_delayed_channels',
  'live_rows_run_total',
  'live_skipped_total',
  'live_stalled_total',
  'live_row_seconds',
  'process_loop_delay_p99_seconds',
  'process_overloaded',
  'process_ready',
  'process_resident_memory_bytes',
  'process_open_fds',
  'nodejs_eventloop_lag_p99_seconds',
];

/** A real ingest server with an owner behind it and a dashboard's server beside it. */
async function open() {
  const server = await openTestServer();
  const log = memoryLog();
  const ownerMeasures = openOwnerMeasures();
  const owner = openOwner({
    archive: server.archive,
    store: openMemoryStore(),
    registry: { reducers: [], build: 'test' },
    log,
    measures: ownerMeasures,
  });
  const bench = await openBench([countedQuery().query]);
  const { ingest } = server;
  const flight = () => ingest.core.flight;
  const conservation = watchConservation({ counts: ingest.counts, flight, log, everyMs: 1_000_000 });
  const registry = openMetrics({
    archive: server.archive,
    archiveMeasures: openArchiveMeasures(),
    ingest,
    conservation,
    owner,
    ownerMeasures,
    live: bench.live,
    dashboards: bench.edge.sockets,
    loopDelay: { p99Ms: () => 3, isOverloaded: () => false },
    isReady: () => true,
  });
  ends.push(
    () => server.close(),
    () => owner.close(),
    () => bench.close(),
    conservation.close,
    () => registry.clear(),
  );
  return { server, owner, registry, conservation };
}

async function valuesOf(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** Every way an event can end, over two edges; gives how many events were sent over each. */
async function sendMixedBag(server: TestServer): Promise<{ readonly socket: number; readonly http: number }> {
  const socket = server.connect();
  expect(await connected(socket)).toBeNull();
  await ask(socket, hello());
  await ask(socket, batch(1, [save(1), save(2), save(3)]));
  await ask(socket, batch(2, [save(2, { sentAt: 1 }), save(3, { sentAt: 2 })]));
  await ask(socket, batch(4, [save(4), { event: 'nothing', sentAt: Date.now(), body: {} }, save(6)]));
  await ask(socket, batch(9, [save(9)]));
  await ask(socket, 'no json');
  server.world.decide = () => 'paused-by-student';
  await ask(socket, batch(7, [save(7), save(8)]));
  server.world.decide = () => null;
  server.world.refuse = 'disk-full';
  await ask(socket, batch(9, [save(9)]));
  server.world.refuse = null;
  const last = batch(9, [save(9), save(10)]);
  await ask(socket, last);
  await ask(socket, last);
  const post = batch(1, [save(1)], { producer: 'BBBBBBBBBBBBBBBBBBBBBB', oldest: 1, now: Date.now() });
  expect((await server.post(JSON.stringify(post))).status).toBe(200);
  return { socket: 3 + 2 + 3 + 1 + 1 + 2 + 1 + 2 + 2, http: 1 };
}

test('every metric is there, and process figures of the platform beside ours', async () => {
  const { registry } = await open();
  const text = await registry.metrics();
  for (const name of NAMES) expect(text, name).toContain(`# TYPE ${name} `);
});

test('after a mixed bag the ends add up to what came in, exactly', async () => {
  const { server, registry, conservation } = await open();
  const sent = await sendMixedBag(server);
  const values = await valuesOf(registry);
  for (const edge of ['socket', 'http'] as const) {
    const ended = ['stored', 'duplicate', 'bad', 'declined', 'refused'].map(
      (end) => values.get(`ingest_ended_total{edge="${edge}",end="${end}"}`) ?? Number.NaN,
    );
    expect(values.get(`ingest_received_total{edge="${edge}"}`)).toBe(sent[edge]);
    expect(ended.reduce((sum, one) => sum + one, 0)).toBe(sent[edge]);
    if (edge === 'socket') expect(ended.every((count) => count > 0)).toBe(true);
  }
  expect(values.get('ingest_codes_total{code="disk-full"}')).toBe(1);
  expect(values.get('ingest_codes_total{code="gap"}')).toBe(1);
  expect(values.get('ingest_in_flight{edge="socket"}')).toBe(0);
  expect(values.get('ingest_connections{edge="socket"}')).toBe(1);
  expect(values.get('ingest_acknowledgement_seconds_count')).toBeGreaterThan(6);
  expect(values.get('ingest_conservation_difference')).toBe(0);
  expect(conservation.difference()).toBe(0);
});

test('what the old protocol sends adds up too: parked, refused, bad and stored', async () => {
  const { server, conservation } = await open();
  const { ingest } = server;
  const counts = () => ingest.counts().edges['learning-observer'];
  const unknown = await connectPlain(server);
  unknown.send(event(1), event(2));
  await expect.poll(() => counts().received, { interval: 2 }).toBe(2);
  expect(ingest.core.flight['learning-observer']).toBe(2);
  expect(conservation.difference()).toBe(0);
  unknown.send(SOURCE, CLAIM);
  await expect.poll(() => counts().refused, { interval: 2 }).toBe(2);
  server.world.claims.set('google:1157', ADA);
  const known = await connectPlain(server);
  known.send(SOURCE, CLAIM, event(1), event(2), { ...event(3), event: 'nothing' }, 'no json');
  await known.settle();
  expect(counts()).toMatchObject({ received: 6, stored: 2, bad: 2, refused: 2 });
  expect(ingest.core.flight['learning-observer']).toBe(0);
  expect(conservation.difference()).toBe(0);
});

test('the owner is measured as it folds', async () => {
  const { server, owner, registry } = await open();
  await sendMixedBag(server);
  await owner.caughtUp();
  await owner.flush();
  const values = await valuesOf(registry);
  expect(values.get('owner_phase{phase="running"}')).toBe(1);
  expect(values.get('owner_behind_entries')).toBe(0);
  expect(values.get('owner_applied_offset')).toBe(server.archive.end() - 1);
  expect(values.get('owner_flush_seconds_count')).toBeGreaterThan(0);
});

test('no label carries a student, a class, a producer or a connection', async () => {
  const { server, registry } = await open();
  await sendMixedBag(server);
  const text = await registry.metrics();
  const ids = [
    'ada',
    'AAAAAAAAAAAAAAAAAAAAAA',
    'd1',
    ...[...server.ingest.connections()].map(({ id }) => id),
  ];
  const labels = text.split('\n').flatMap((line) => [...line.matchAll(/(\w+)="([^"]*)"/g)]);
  const ours = new Set(['edge', 'end', 'code', 'phase', 'le']);
  const platform = new Set(['type', 'kind', 'space', 'version', 'major', 'minor', 'patch']);
  expect(labels.filter(([, name]) => !ours.has(name ?? '') && !platform.has(name ?? ''))).toEqual([]);
  expect(labels.filter(([, , value]) => ids.includes(value ?? ''))).toEqual([]);
});

test('a histogram counts each value once, at or below its bound', async () => {
  const times = openHistogram([1, 10]);
  for (const value of [0.5, 1, 1.5, 10, 11]) times.note(value);
  expect(times.snapshot()).toEqual({ bounds: [1, 10], counts: [2, 2, 1], sum: 24 });
});

test('the port gives metrics and nothing else, on this one address of loopback', async () => {
  const { registry } = await open();
  const served = await serveMetrics(registry, 0);
  ends.push(served.close);
  const url = `http://127.0.0.1:${served.port}`;
  const found = await fetch(`${url}/metrics`);
  expect(found.status).toBe(200);
  expect(await found.text()).toContain('ingest_conservation_difference 0');
  expect((await fetch(url)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
  await expect(fetch(`http://127.0.0.2:${served.port}/metrics`)).rejects.toThrow();
});
