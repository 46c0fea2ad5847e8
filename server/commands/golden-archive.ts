/**
 * `node server/commands/golden-archive.ts <file>`: makes a small archive as this version writes it (two sealed segments and an
 * open one, bad rows, declined and repeated events), with what has to be read and folded from it, and packs all of it into one
 * file. Run it once for each new format of the archive, as `server/proof/golden/format-<n>.golden`, and never again for that format.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import { openAndFold, pack, readFiles } from '#server/proof/golden/golden.ts';
import { newKey } from '#server/proof/load.ts';
import { openProofServer, type ProofServer } from '#server/proof/proof-server.ts';
import { SILENT } from '#server/proof/stored-states.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';

const [, , target] = process.argv;
if (!target) {
  console.error('usage: node server/commands/golden-archive.ts <file>');
  process.exit(64);
}
const key = newKey();
const folder = await mkdtemp(join(tmpdir(), 'golden-'));
const directory = join(folder, 'archive');

const openAgain = () =>
  openProofServer({
    archive: {
      directory,
      onFatal: (error) => {
        throw error;
      },
      limits: { minFreeBytes: 0 },
    },
    openStore: async () => openMemoryStore(),
    key,
    log: SILENT,
    port: 0,
  });

const STUDENTS = ['ada', 'bob', 'zoë/ü'];
const said = (n: number) => ({ doc: `doc-${n % 2}`, n, text: `Schöne Grüße, ${'word '.repeat(n % 4)}😀` });

/** A student's tool, four events long: a mark, a ripple, one that is no event, one that must not be collected. */
async function send(server: ProofServer, student: string, from: number): Promise<void> {
  const now = Date.now();
  const { token } = await signIngestToken(
    key,
    { person: student, school: 'golden', installation: student },
    now,
  );
  const events = [
    { event: 'mark', sentAt: now, tick: 17.5, body: said(from) },
    { event: 'ripple', sentAt: now, body: said(from + 1) },
    { event: 'mark', sentAt: now, body: { doc: 7 } },
    { event: 'secret', sentAt: now, body: {} },
  ];
  const producer = Buffer.from(`${student} at her desk`.padEnd(18, '.')).toString('base64url');
  const batch = {
    v: 1,
    type: 'events',
    producer,
    epoch: 1,
    from,
    oldest: from,
    now,
    source: 'proof',
    events,
  };
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(batch),
  });
  const { type } = (await answer.json()) as { readonly type: string };
  if (type !== 'stored') throw new Error(`the batch was answered ${type}`);
}

for (const life of [0, 1]) {
  const server = await openAgain();
  for (const student of STUDENTS) await send(server, student, 1 + 4 * life);
  // The same again: nothing of it may be stored twice.
  await send(server, 'ada', 1 + 4 * life).catch(() => {});
  await server.stop();
}
const last = await openAgain();
for (const student of STUDENTS.slice(1)) await send(last, student, 9);
await cp(directory, join(folder, 'whole'), { recursive: true });
await last.stop();
const archive = await readFiles(join(folder, 'whole'));
const { mended, ...expected } = await openAndFold(join(folder, 'whole'));
if (mended.length > 0) throw new Error(`mended: ${mended.join()}`);
const files = new Map(
  [...archive].filter(([path]) => !path.endsWith('lock')).map(([path, bytes]) => [`archive/${path}`, bytes]),
);
files.set('expected.json', Buffer.from(JSON.stringify(expected)));
await writeFile(target, pack(files));
await rm(folder, { recursive: true });
console.log([...files].map(([path, bytes]) => `${path} ${bytes.length} bytes`).join('\n'));
