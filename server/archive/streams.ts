import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ArchiveCorruptError } from './corrupt.ts';
import { type FileSystem, readWhole, writeAll } from './file-system.ts';

/** Which stream holds whose entries: the only link between a student and the archive's sealed segments. */
export type Streams = {
  readonly ids: ReadonlyMap<string, string>;
  /** The name of a stream, such as `student:ada`. */
  nameOf(id: string): string | undefined;
  /** Makes new ids durable, before any block that carries them. */
  add(more: ReadonlyMap<string, string>): Promise<void>;
};

/**
 * Reads `keys/streams.log`, made where it is missing: one line per stream, `<crc32, 8 hex> <id, 32 hex> <name as JSON>`,
 * only ever added to. A torn last line is overwritten; it belongs to a sealing that never was committed.
 */
export async function openStreams(fileSystem: FileSystem, directory: string): Promise<Streams> {
  const path = join(directory, 'streams.log');
  const ids = new Map<string, string>();
  const names = new Map<string, string>();
  let length = 0;
  if ((await fileSystem.list(directory)).includes('streams.log')) {
    const bytes = await readWhole(fileSystem, path);
    length = readLines(bytes, (id, name) => {
      ids.set(name, id);
      names.set(id, name);
    });
  }

  return {
    ids,
    nameOf: (id) => names.get(id),
    async add(more) {
      if (more.size === 0) return;
      const lines = Buffer.from([...more].map(([name, id]) => lineOf(id, name)).join(''));
      const file = await fileSystem.open(path, 'update');
      try {
        await writeAll(file, lines, length);
        await file.datasync();
      } finally {
        await file.close();
      }
      if (length === 0) await fileSystem.syncDirectory(directory);
      length += lines.length;
      for (const [name, id] of more) {
        ids.set(name, id);
        names.set(id, name);
      }
    },
  };
}

function lineOf(id: string, name: string): string {
  const text = `${id} ${JSON.stringify(name)}`;
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

/** Gives the length of what is whole. A damaged line with a whole one behind it was not torn: the start must stop. */
function readLines(bytes: Buffer, each: (id: string, name: string) => void): number {
  let whole = 0;
  let at = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, at)) {
    const line = bytes.toString('utf8', at, end);
    const isWhole = crc32(line.slice(9)) === Number.parseInt(line.slice(0, 8), 16);
    if (isWhole && whole !== at)
      throw new ArchiveCorruptError(`keys/streams.log, byte ${whole}`, 'a line is damaged');
    at = end + 1;
    if (!isWhole) continue;
    each(line.slice(9, 41), JSON.parse(line.slice(42)) as string);
    whole = at;
  }
  return whole;
}
