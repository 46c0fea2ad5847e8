import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { ArchiveCorruptError, unknownFormat } from './corrupt.ts';
import { type FileSystem, readWhole, writeNew } from './file-system.ts';
import type { SealedSegment } from './sealed-segment.ts';

/** Directories of one archive with one partition. */
export type Places = {
  readonly root: string;
  readonly segments: string;
  readonly commits: string;
  readonly keys: string;
};

/** An open segment that may be read: what lies beyond `bytes` is not durable. */
export type ReadableOpen = {
  readonly path: string;
  readonly first: number;
  readonly bytes: number;
  readonly end: number;
};

/** Where every durable entry is, in offset order: sealed ones first, then open ones. */
export type Segments = {
  readonly sealed: SealedSegment[];
  readonly open: ReadableOpen[];
};

export function placesOf(root: string): Places {
  return {
    root,
    segments: join(root, 'p000'),
    commits: join(root, 'commits', 'p000'),
    keys: join(root, 'keys'),
  };
}

type Identity = {
  readonly id: string;
  readonly format: number;
  readonly partitions: number;
  readonly createdAt: number;
};

/** The archive's id from `archive.json`; makes the directories and the file where there is nothing yet. */
export async function openIdentity(
  fileSystem: FileSystem,
  places: Places,
  createdAt: number,
): Promise<string> {
  const path = join(places.root, 'archive.json');
  for (const directory of [places.root, places.segments, places.commits, places.keys]) {
    await fileSystem.makeDirectory(directory);
  }
  if (!(await fileSystem.list(places.root)).includes('archive.json')) {
    await createIdentity(fileSystem, places, createdAt);
  }
  await syncNames(fileSystem, places);
  return parseIdentity((await readWhole(fileSystem, path)).toString()).id;
}

async function createIdentity(fileSystem: FileSystem, places: Places, createdAt: number): Promise<void> {
  if ((await fileSystem.list(places.segments)).length + (await fileSystem.list(places.commits)).length > 0) {
    throw new ArchiveCorruptError('archive.json', 'it is missing beside segments');
  }
  const identity: Identity = { id: randomBytes(16).toString('hex'), format: 1, partitions: 1, createdAt };
  const path = join(places.root, 'archive.json');
  if ((await fileSystem.list(places.root)).includes('archive.json.tmp'))
    await fileSystem.unlink(`${path}.tmp`);
  await writeNew(fileSystem, `${path}.tmp`, Buffer.from(`${JSON.stringify(identity)}\n`));
  await fileSystem.rename(`${path}.tmp`, path);
}

/**
 * A process that died before it synced a directory leaves names that only the system's memory holds. Whatever this start reads, and
 * deletes other files because of, has to survive a power cut first.
 */
async function syncNames(fileSystem: FileSystem, { root, commits, keys }: Places): Promise<void> {
  for (const directory of [commits, keys, dirname(commits), root, dirname(root)]) {
    await fileSystem.syncDirectory(directory);
  }
}

function parseIdentity(text: string): Identity {
  let identity: Partial<Identity> = {};
  try {
    identity = JSON.parse(text) as Partial<Identity>;
  } catch (cause) {
    throw Object.assign(new ArchiveCorruptError('archive.json', 'it is no JSON'), { cause });
  }
  const { id, format, partitions } = identity;
  if (typeof format === 'number' && format > 1) throw unknownFormat('archive.json', format);
  if (format !== 1 || partitions !== 1 || typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) {
    throw new ArchiveCorruptError('archive.json', 'this version does not know its format');
  }
  return identity as Identity;
}
