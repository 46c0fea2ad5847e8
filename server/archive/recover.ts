import { join } from 'node:path';
import { byName, deleteTemporaries, readCommits } from './commits.ts';
import { ArchiveCorruptError } from './corrupt.ts';
import { type FileSystem, readWhole } from './file-system.ts';
import { type Scanned, scanOpen } from './scan-open.ts';
import { checkSealed, type Owner, type SealedSegment } from './sealed-segment.ts';
import { OPEN_NAME, SEALED_NAME } from './segment-header.ts';
import type { Places, ReadableOpen } from './store.ts';

/** What a start found: committed segments, and open ones whose entries no commit covers yet. */
export type Found = {
  readonly sealed: SealedSegment[];
  readonly unsealed: readonly ReadableOpen[];
  /** Newest time of receipt in the sealed segments. */
  readonly lastAt: number;
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
  return { sealed, lastAt, unsealed: await findOpen(fileSystem, places, owner.archive, names, end) };
}

async function findSealed(fileSystem: FileSystem, places: Places, owner: Owner, names: readonly string[]) {
  const commits = await readCommits(fileSystem, places.commits);
  const committed = new Set(commits.map((commit) => commit.segment.file));
  for (const name of names) {
    if (SEALED_NAME.test(name) && !committed.has(name)) await fileSystem.unlink(join(places.segments, name));
  }
  const sealed: SealedSegment[] = [];
  let lastAt = 0;
  for (const { segment, from, to, archive } of commits) {
    const { file, bytes } = segment;
    if (!names.includes(file)) throw new ArchiveCorruptError(file, 'a commit names it and it is missing');
    if (archive !== owner.archive) throw new ArchiveCorruptError(file, 'it belongs to another archive');
    const found = { path: join(places.segments, file), file, first: from, last: to, bytes };
    lastAt = Math.max(lastAt, await checkSealed(fileSystem, found, owner));
    sealed.push(found);
  }
  return { sealed, lastAt };
}

async function findOpen(
  fileSystem: FileSystem,
  places: Places,
  archive: string,
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
    const scanned = scanOpen(name, await readWhole(fileSystem, path), name === opens.at(-1));
    if (scanned) checkPlace(name, scanned, first, end, archive);
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
