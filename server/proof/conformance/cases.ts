/** Where each conformance case of the wire's description is held: the case's id stands in the name of a test of that file. */
export type Case = { readonly id: string; readonly tests: readonly string[] };

const OLD = 'server/ingest/learning-observer-socket.test.ts';
const OLD_SESSION = 'server/ingest/observer-session.test.ts';
const OLD_BLOBS = 'server/ingest/observer-blobs.test.ts';
const BATCHES = 'server/ingest/socket.test.ts';
const BATCH_DOORS = 'server/ingest/socket-doors.test.ts';
const HTTP = 'server/ingest/http.test.ts';
const LIVE = 'server/live/socket.test.ts';
const LIVE_ACCESS = 'server/live/socket-access.test.ts';
const SLOW_READER = 'server/live/slow-reader.slow.test.ts';
/** Against `main.ts` as it is started for real, with kills between. */
const RUNNING = 'server/proof/conformance/wire.slow.test.ts';

const all = (ids: string, ...tests: readonly string[]): readonly Case[] =>
  ids.split(' ').map((id) => ({ id, tests }));

/** Every case of parts A to D that is built. */
export const CASES: readonly Case[] = [
  ...all('A01 A02 A05 A06 A07 A08 A09 A10 A11 A12 A13 A14 A15 A16 A17 A18 A30', OLD),
  ...all('A03 A04', OLD, RUNNING),
  ...all('A19 A22 A23 A25 A26 A31', OLD_SESSION),
  ...all('A20', OLD_BLOBS, RUNNING),
  ...all('A21 A24', OLD_SESSION, RUNNING),
  ...all('A27 A28 A29', RUNNING),
  ...all('B01', BATCHES, RUNNING),
  ...all('B02 B03 B05 B06 B09 B10', BATCHES),
  ...all('B07 B08', BATCH_DOORS),
  ...all('B04', RUNNING),
  ...all('C01 C03', LIVE),
  ...all('C02 C04', LIVE_ACCESS),
  ...all('C05', SLOW_READER),
  ...all('D01 D03', HTTP, RUNNING),
];

/** Cases of parts that are not built: senders with a key of their own. */
export const NOT_BUILT: readonly string[] = ['D02'];
