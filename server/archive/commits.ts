import { join } from 'node:path';
import { z } from 'zod';
import { ArchiveCorruptError, unknownFormat } from './corrupt.ts';
import { codeOf, type FileSystem, readWhole, writeNew } from './file-system.ts';
import { hex12 } from './segment-header.ts';

const COUNT = z.int().nonnegative();
const COMMIT = z.object({
  format: z.literal(1),
  archive: z.string(),
  partition: COUNT,
  number: z.int().positive(),
  parent: z.string().nullable(),
  segment: z.object({ file: z.string(), sha256: z.string(), bytes: COUNT }).readonly(),
  /** First and last offset. */
  from: COUNT,
  to: COUNT,
  entries: COUNT,
  events: COUNT,
  streams: COUNT,
  heads: z.string().nullable(),
  tombstones: z.array(z.string()).readonly(),
  fence: COUNT,
  at: z.number(),
  software: z.string(),
});

/** What one sealing added to the archive (archive.md §2). Null: made once blocks are chained. */
export type Commit = Readonly<z.infer<typeof COMMIT>>;

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
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw Object.assign(new ArchiveCorruptError(`commits/${name}`, 'it is no JSON'), { cause });
  }
  const format = (parsed as { readonly format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > 1) throw unknownFormat(`commits/${name}`, format);
  const commit = COMMIT.safeParse(parsed);
  if (!commit.success) throw new ArchiveCorruptError(`commits/${name}`, 'it is no commit');
  const { from, to, fence, segment } = commit.data;
  if (segment.file !== `${hex12(from)}-${hex12(to)}-${hex12(fence)}.seg`) {
    throw new ArchiveCorruptError(`commits/${name}`, 'it names another segment than its offsets say');
  }
  return commit.data;
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
