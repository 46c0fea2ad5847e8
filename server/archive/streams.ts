import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type FileSystem, readWhole, writeAll, writeNew } from './file-system.ts';

/** Which stream holds whose entries: the only link between a student and the archive's sealed segments. */
export type Streams = {
  readonly ids: ReadonlyMap<string, string>;
  /** The name of a stream, such as `student:ada`. */
  nameOf(id: string): string | undefined;
  /** Makes new ids durable, before any block that carries them. */
  add(more: ReadonlyMap<string, string>): Promise<void>;
  /** Has a line been skipped that changed since it was written? What it said is in the sealed segments too. */
  readonly isDamaged: boolean;
  /** Writes all ids anew, with more that the sealed segments told. */
  rewrite(more: ReadonlyMap<string, string>): Promise<void>;
};

/**
 * Reads `keys/streams.log`, made where it is missing: one line for all ids that one sealing made,
 * `<crc32, 8 hex digits> <JSON: id by name>`, only ever added to. A torn last line is overwritten; its sealing never was
 * committed. One line and not one for each id, since a torn write may lose its beginning and keep its end. A damaged line is skipped: the start finds its ids in the segments.
 */
export async function openStreams(fileSystem: FileSystem, directory: string): Promise<Streams> {
  const path = join(directory, 'streams.log');
  const ids = new Map<string, string>();
  const names = new Map<string, string>();
  const take = (more: Iterable<readonly [string, string]>) => {
    for (const [name, id] of more) {
      ids.set(name, id);
      names.set(id, name);
    }
  };
  const isThere = (await fileSystem.list(directory)).includes('streams.log');
  if (isThere) await syncFile(fileSystem, path);
  const read = isThere ? readLines(await readWhole(fileSystem, path), take) : { whole: 0, isDamaged: false };
  let length = read.whole;

  return {
    ids,
    isDamaged: read.isDamaged,
    nameOf: (id) => names.get(id),
    async add(more) {
      if (more.size === 0) return;
      const line = Buffer.from(lineOf(more));
      const file = await fileSystem.open(path, 'update');
      try {
        await writeAll(file, line, length);
        await file.datasync();
      } finally {
        await file.close();
      }
      if (length === 0) await fileSystem.syncDirectory(directory);
      length += line.length;
      take(more);
    },
    async rewrite(more) {
      take(more);
      const line = Buffer.from(lineOf(ids));
      const temporary = `${path}.tmp`;
      if ((await fileSystem.list(directory)).includes('streams.log.tmp')) await fileSystem.unlink(temporary);
      await writeNew(fileSystem, temporary, line);
      await fileSystem.rename(temporary, path);
      await fileSystem.syncDirectory(directory);
      length = line.length;
    },
  };
}

/** A process that died before its sync leaves lines that only the system's memory holds, and blocks will rely on them. */
async function syncFile(fileSystem: FileSystem, path: string): Promise<void> {
  const file = await fileSystem.open(path, 'update');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

function lineOf(ids: ReadonlyMap<string, string>): string {
  const text = JSON.stringify(Object.fromEntries(ids));
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

/** Gives the length up to the end of the last whole line. A damaged line with a whole one behind it was not torn. */
function readLines(bytes: Buffer, take: (ids: readonly [string, string][]) => void) {
  let whole = 0;
  let at = 0;
  let isDamaged = false;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, at)) {
    const isWhole =
      crc32(bytes.subarray(at + 9, end)) === Number.parseInt(bytes.toString('latin1', at, at + 8), 16);
    if (isWhole && whole !== at) isDamaged = true;
    // Its checksum says that it is what `lineOf` wrote.
    if (isWhole)
      take(Object.entries(JSON.parse(bytes.toString('utf8', at + 9, end)) as Record<string, string>));
    at = end + 1;
    if (isWhole) whole = at;
  }
  return { whole, isDamaged };
}
