import { join } from 'node:path';
import { ArchiveCorruptError } from './corrupt.ts';
import { codeOf, type FileSystem, readWhole, writeNew } from './file-system.ts';

/** What one sealing added to the archive (archive.md §2). Null: made once blocks are chained. */
export type Commit = {
  readonly format: 1;
  readonly archive: string;
  readonly partition: number;
  readonly number: number;
  readonly parent: string | null;
  readonly segment: { readonly file: string; readonly sha256: string; readonly bytes: number };
  /** First and last offset. */
  readonly from: number;
  readonly to: number;
  readonly entries: number;
  readonly events: number;
  readonly streams: number;
  readonly heads: string | null;
  readonly tombstones: readonly string[];
  readonly fence: number;
  readonly at: number;
  readonly software: string;
};

const NAME = /^(\d{8,})\.json$/;

function nameOf(number: number): string {
  return `${String(number).padStart(8, '0')}.json`;
}

/** Makes the commit durable in one step, at a number that nobody has taken. */
export async function writeCommit(fileSystem: FileSystem, directory: string, commit: Commit): Promise<void> {
  const path = join(directory, nameOf(commit.number));
  const temporary = `${path}.tmp`;
  await writeNew(fileSystem, temporary, Buffer.from(JSON.stringify(commit)));
  await fileSystem.link(temporary, path);
  await fileSystem.syncDirectory(directory);
  await fileSystem.unlink(temporary);
}

/** All commits in order, checked to follow each other without a gap. */
export async function readCommits(fileSystem: FileSystem, directory: string): Promise<Commit[]> {
  const names = (await fileSystem.list(directory)).filter((name) => NAME.test(name)).sort(byName);
  const commits: Commit[] = [];
  let next = 0;
  for (const name of names) {
    const commit = parseCommit(name, (await readWhole(fileSystem, join(directory, name))).toString());
    if (name !== nameOf(commits.length + 1) || commit.number !== commits.length + 1 || commit.from !== next) {
      throw new ArchiveCorruptError(`commits/${name}`, 'it does not follow the commit before it');
    }
    next = commit.to + 1;
    commits.push(commit);
  }
  return commits;
}

/** Numbers in names have leading zeros, so the order of code units is theirs. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function parseCommit(name: string, text: string): Commit {
  try {
    return JSON.parse(text) as Commit;
  } catch (cause) {
    throw Object.assign(new ArchiveCorruptError(`commits/${name}`, 'it is no JSON'), { cause });
  }
}

/** Takes away what an interrupted write left behind. */
export async function deleteTemporaries(fileSystem: FileSystem, directory: string): Promise<void> {
  for (const name of await fileSystem.list(directory)) {
    if (!name.endsWith('.tmp')) continue;
    await fileSystem.unlink(join(directory, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}
