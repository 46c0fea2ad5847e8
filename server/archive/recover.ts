import { join } from 'node:path';
import { byName, type Commit, deleteTemporaries, readCommits } from './commits.ts';
import { ArchiveCorruptError } from './corrupt.ts';
import { type FileSystem, readWhole } from './file-system.ts';
import { type Scanned, scanOpen } from './scan-open.ts';
import type { SealedSegment } from './sealed-segment.ts';
import { OPEN_NAME, SEALED_NAME } from './segment-header.ts';
import type { Places, ReadableOpen } from './store.ts';

/** What a start found: committed segments, and open ones whose entries no commit covers yet. */
export type Found = {
  readonly sealed: SealedSegment[];
  readonly unsealed: readonly ReadableOpen[];
  /** Newest time of receipt in the sealed segments. */
  readonly lastAt: number;
};

/** The archive that a start is about, and how it checks one committed segment after the other. */
export type Owner = {
  readonly archive: string;
  /** Gives the newest time of receipt in the segment. */
  readonly check: (segment: SealedSegment, commit: Commit) => Promise<number>;
  /** The last open segment ended in bytes that no crash let become an entry; they are left out. */
  readonly onTorn: (file: string, bytes: number) => void;
};

/**
 * Steps 2 and 3 of a start (delivery.md §5): takes away what an interrupted sealing left, finds where the last open
 * segment ends. Throws `ArchiveCorruptError` where something is damaged or missing that no crash explains.
 */
export async function findSegments(fileSystem: FileSystem, places: Places, owner: Owner): Promise<Found> {
  await deleteTemporaries(fileSystem, places.segments);
  await deleteTemporaries(fileSystem, places.commits);
  const names = (await fileSystem.list(places.segments)).sort(byName);
  const { sealed, lastAt } = await findSealed(fileSystem, places, owner, names);
  const end = (sealed.at(-1)?.last ?? -1) + 1;
  return { sealed, lastAt, unsealed: await findOpen(fileSystem, places, owner, names, end) };
}

async function findSealed(fileSystem: FileSystem, places: Places, owner: Owner, names: readonly string[]) {
  const commits = await readCommits(fileSystem, places.commits);
  const sealed: SealedSegment[] = [];
  let lastAt = 0;
  for (const commit of commits) {
    const { segment, from, to, archive } = commit;
    const { file, bytes } = segment;
    if (!names.includes(file)) throw new ArchiveCorruptError(file, 'a commit names it and it is missing');
    if (archive !== owner.archive) throw new ArchiveCorruptError(file, 'it belongs to another archive');
    const found = { path: join(places.segments, file), file, first: from, last: to, bytes };
    lastAt = Math.max(lastAt, await owner.check(found, commit));
    sealed.push(found);
  }
  await dropUncommitted(fileSystem, places, names, sealed);
  return { sealed, lastAt };
}

/**
 * Takes away segments that no commit names, as an interrupted sealing leaves them. What they hold MUST be elsewhere: in
 * committed ones, or in the open segment that they were made from. Else it was their commit that was lost.
 */
async function dropUncommitted(
  fileSystem: FileSystem,
  places: Places,
  names: readonly string[],
  sealed: readonly SealedSegment[],
): Promise<void> {
  const end = (sealed.at(-1)?.last ?? -1) + 1;
  const committed = new Set(sealed.map(({ file }) => file));
  for (const name of names) {
    const [, first = '', last = ''] = SEALED_NAME.exec(name) ?? [];
    if (first === '' || committed.has(name)) continue;
    const isElsewhere =
      Number.parseInt(last, 16) < end ||
      names.some((other) => OPEN_NAME.test(other) && other.startsWith(`${first}-`));
    if (!isElsewhere)
      throw new ArchiveCorruptError(name, 'no commit names it and nothing else has its entries');
    await fileSystem.unlink(join(places.segments, name));
  }
}

async function findOpen(
  fileSystem: FileSystem,
  places: Places,
  { archive, onTorn }: Owner,
  names: readonly string[],
  sealedEnd: number,
): Promise<ReadableOpen[]> {
  const opens = names.filter((name) => OPEN_NAME.test(name));
  const unsealed: ReadableOpen[] = [];
  let end = sealedEnd;
  for (const name of opens) {
    const path = join(places.segments, name);
    const first = Number.parseInt(name.slice(0, 12), 16);
    if (first < sealedEnd) {
      await fileSystem.unlink(path);
      continue;
    }
    const bytes = await readWhole(fileSystem, path);
    const scanned = scanOpen(name, bytes, name === opens.at(-1));
    if (scanned) checkPlace(name, scanned, first, end, archive);
    if (scanned && scanned.length < bytes.length) onTorn(name, bytes.length - scanned.length);
    if (!scanned || scanned.end === first) await fileSystem.unlink(path);
    else unsealed.push({ path, first, bytes: scanned.length, end: scanned.end });
    end = scanned?.end ?? end;
  }
  return unsealed;
}

function checkPlace(name: string, scanned: Scanned, first: number, end: number, archive: string): void {
  if (scanned.header.archive !== archive)
    throw new ArchiveCorruptError(name, 'it belongs to another archive');
  if (scanned.header.first !== first || first !== end) {
    throw new ArchiveCorruptError(name, 'it does not follow the segment before it');
  }
}
