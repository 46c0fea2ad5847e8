import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, zstdDecompressSync } from 'node:zlib';

/** Where a proof finds an archive's files: names are relative to the archive's directory. */
export type Files = {
  list(directory: string): readonly string[];
  read(path: string): Buffer;
};

/** One entry as the layout has it (delivery.md §5), as far as a proof looks at it. */
export type ReadEntry = {
  readonly o: number;
  readonly k: string;
  readonly t: number;
  readonly s?: string;
  readonly p?: string;
  readonly e?: number;
  readonly f?: number;
  readonly n?: number;
  readonly src?: string;
  readonly off?: number;
  readonly ev?: readonly ReadEvent[];
  readonly h?: string;
  readonly bad?: { readonly code: string; readonly original: string };
  readonly declined?: string;
};

export type ReadEvent = {
  readonly event: string;
  readonly sentAt?: number;
  readonly body: Readonly<Record<string, unknown>>;
};

export type ReadArchive = {
  readonly id: string;
  readonly entries: readonly ReadEntry[];
  /** Offset of the newest start mark: the fence of the last owner. */
  readonly fence: number;
  readonly sealedSegments: number;
};

const HEADER = 128;
const GROUP_HEADER = 88;
const BLOCK_HEADER = 102;
const INDEX_ROW = 100;
const FOOTER = 60;
const TAG = 16;

export function filesOnDisk(directory: string): Files {
  return {
    list: (under) => (existsSync(join(directory, under)) ? readdirSync(join(directory, under)) : []),
    read: (path) => readFileSync(join(directory, path)),
  };
}

/**
 * All durable entries of an archive that no process has open, in order of offset. Written from the layout in delivery.md
 * §5 and not from the code that writes it, so that the two would have to be wrong alike. Checks every checksum and that no
 * offset is missing; throws where the archive is not what the layout says.
 */
export function readArchive(files: Files): ReadArchive {
  const { id } = JSON.parse(files.read('archive.json').toString()) as { id: string };
  const names = files.list('p000');
  const entries: ReadEntry[] = [];
  const committed = files.list('commits/p000').filter((name) => /^\d{8}\.json$/.test(name));
  for (const name of committed.sort()) {
    const commit = JSON.parse(files.read(`commits/p000/${name}`).toString()) as {
      readonly segment: { readonly file: string; readonly sha256: string };
      readonly from: number;
      readonly to: number;
    };
    const bytes = files.read(`p000/${commit.segment.file}`);
    check(
      createHash('sha256').update(bytes).digest('hex') === commit.segment.sha256,
      `${name}: hash of segment`,
    );
    const sealed = readSealed(bytes, id);
    check(sealed[0]?.o === commit.from && sealed.at(-1)?.o === commit.to, `${name}: offsets of its segment`);
    // One by one: a segment holds more than a call takes arguments.
    for (const entry of sealed) entries.push(entry);
  }
  const opens = names.filter((name) => name.endsWith('.open')).sort();
  opens.forEach((name, i) => {
    const first = Number.parseInt(name.slice(0, 12), 16);
    if (first < entries.length) return; // a commit covers it
    const open = readOpen(files.read(`p000/${name}`), id, i === opens.length - 1);
    check(open.length === 0 || open[0]?.o === entries.length, `${name}: does not follow`);
    for (const entry of open) entries.push(entry);
  });
  for (const [i, { o }] of entries.entries()) check(o === i, `offset ${o} in the place of ${i}`);
  const fence = entries.findLast((entry) => entry.k === 'mark')?.o ?? 0;
  return { id, entries, fence, sealedSegments: committed.length };
}

function check(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(`the archive is not what its layout says: ${what}`);
}

function readHeader(bytes: Buffer, magic: string, archive: string): void {
  check(bytes.length >= HEADER && bytes.toString('latin1', 0, 4) === magic, `magic ${magic}`);
  check(bytes.readUInt16LE(4) === 1, 'format');
  check(bytes.toString('hex', 8, 24) === archive, 'archive id of a segment');
  check(crc32(bytes.subarray(0, 124)) === bytes.readUInt32LE(124), 'crc of a header');
}

function readOpen(bytes: Buffer, archive: string, isLast: boolean): ReadEntry[] {
  // A file that was only being made when the process died.
  if (isLast && bytes.length < HEADER) return [];
  if (isLast && crc32(bytes.subarray(0, 124)) !== bytes.readUInt32LE(124)) return [];
  readHeader(bytes, 'LOA1', archive);
  const entries: ReadEntry[] = [];
  for (let at = HEADER; at < bytes.length; ) {
    const length = at + GROUP_HEADER + TAG <= bytes.length ? bytes.readUInt32LE(at) : 0;
    const isWhole =
      length >= GROUP_HEADER + TAG &&
      at + length <= bytes.length &&
      crc32(bytes.subarray(at + 8, at + length)) === bytes.readUInt32LE(at + 4);
    if (!isWhole) {
      check(isLast, 'a torn group in a file that is not the last');
      break; // the tail of the last file may be torn: nobody was told of it
    }
    check(bytes[at + 8] === 0, 'suite of a group');
    const found = entriesIn(bytes.subarray(at + GROUP_HEADER, at + length - TAG));
    check(found.length === bytes.readUInt16LE(at + 10), 'entries of a group');
    check(found[0]?.o === Number(bytes.readBigUInt64LE(at + 12)), 'first offset of a group');
    entries.push(...found);
    at += length;
  }
  return entries;
}

function readSealed(bytes: Buffer, archive: string): ReadEntry[] {
  readHeader(bytes, 'LOS1', archive);
  const footer = bytes.subarray(bytes.length - FOOTER);
  check(footer.toString('latin1', 56) === 'LOS1', 'magic of a footer');
  const upToHash = bytes.subarray(0, bytes.length - FOOTER + 24);
  check(createHash('sha256').update(upToHash).digest().equals(footer.subarray(24, 56)), 'hash of a footer');
  const indexAt = Number(footer.readBigUInt64LE(0));
  const tableAt = Number(footer.readBigUInt64LE(12));
  const index = bytes.subarray(indexAt, tableAt);
  check(crc32(index) === footer.readUInt32LE(8), 'crc of an index');
  check(
    crc32(bytes.subarray(tableAt, bytes.length - FOOTER)) === footer.readUInt32LE(20),
    'crc of a producers table',
  );
  const entries: ReadEntry[] = [];
  for (let at = 0; at < index.length; at += INDEX_ROW) {
    const position = Number(index.readBigUInt64LE(at + 16));
    const block = bytes.subarray(position, position + index.readUInt32LE(at + 24));
    check(block.subarray(0, 16).equals(index.subarray(at, at + 16)), 'stream of a block');
    const content = zstdDecompressSync(block.subarray(BLOCK_HEADER, block.length - TAG));
    const found = entriesIn(content);
    check(found.length === index.readUInt32LE(at + 44), 'entries of a block');
    entries.push(...found);
  }
  return entries.sort((a, b) => a.o - b.o);
}

function entriesIn(bytes: Buffer): ReadEntry[] {
  const entries: ReadEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    check(end <= bytes.length, 'length of an entry');
    entries.push(JSON.parse(bytes.toString('utf8', at + 4, end)) as ReadEntry);
    at = end;
  }
  return entries;
}
