import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProducerRow } from '#server/archive/archive.ts';
import type { Entry } from '#server/archive/entry.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { loadModules } from '#server/modules.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { PROOF_MODULES } from '../proof-server.ts';
import { SILENT } from '../stored-states.ts';

/** Files by their path in a directory. */
export type Files = ReadonlyMap<string, Buffer>;

/** By code units, so that the order is the same everywhere. */
export function inOrder(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** One line for each file: its path, a tab, its bytes in base64. So no tool that tidies texts can change a byte. */
export function pack(files: Files): string {
  const paths = [...files.keys()].sort(inOrder);
  return paths.map((path) => `${path}\t${files.get(path)?.toString('base64')}\n`).join('');
}

export function unpack(text: string): Map<string, Buffer> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const [path = '', base64 = ''] = line.split('\t');
      return [path, Buffer.from(base64, 'base64')];
    }),
  );
}

export async function readFiles(directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const one of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!one.isFile()) continue;
    const path = join(one.parentPath, one.name);
    files.set(path.slice(directory.length + 1), await readFile(path));
  }
  return files;
}

export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
}

/** What a start finds in an archive and folds from it. */
export type Found = {
  readonly entries: readonly Entry[];
  /** Offsets by student, as the reading of one student gives them. */
  readonly ofStudents: Readonly<Record<string, readonly number[]>>;
  readonly producers: readonly (Omit<ProducerRow, 'hashes'> & { readonly hashes: string })[];
  /** As stored, by key. */
  readonly states: Readonly<Record<string, string>>;
  /** Files that had to be made anew, or were torn. */
  readonly mended: readonly string[];
};

/** Opens the archive in a directory as a server does, reads all of it, and folds it with the proof's reducers. */
export async function openAndFold(directory: string): Promise<Found> {
  const mended: string[] = [];
  const archive = await openFileArchive({
    directory,
    software: 'golden',
    clock: Date.now,
    onFatal: (error) => {
      throw error;
    },
    onMended: (file) => mended.push(file),
    onTorn: (file) => mended.push(file),
    limits: { minFreeBytes: 0 },
  });
  const store = openMemoryStore();
  const owner = openOwner({ archive, store, registry: await loadModules(PROOF_MODULES), log: SILENT });
  try {
    await owner.caughtUp();
    await owner.flush();
    const entries = await all(archive.read(0, archive.fence));
    const students = [...new Set(entries.flatMap(({ s }) => s ?? []))].sort(inOrder);
    const ofStudents: Record<string, readonly number[]> = {};
    const states: Record<string, string> = {};
    for (const student of students) {
      ofStudents[student] = (await all(archive.readStudent(student, archive.fence))).map(({ o }) => o);
      const { fields } = await store.load(student);
      for (const key of [...fields.keys()].sort(inOrder))
        if (key.startsWith('proof-')) states[key] = fields.get(key) ?? '';
    }
    const producers = Array.from(archive.producers(), (row) => ({
      ...row,
      hashes: Buffer.from(row.hashes).toString('hex'),
    }));
    return { entries, ofStudents, producers, states, mended };
  } finally {
    await owner.close();
    await archive.close();
    await store.close();
  }
}

async function all(slices: AsyncIterable<readonly Entry[]>): Promise<Entry[]> {
  return (await Array.fromAsync(slices)).flat();
}
