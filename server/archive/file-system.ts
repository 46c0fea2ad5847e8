import { constants, writeSync } from 'node:fs';
import { link, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';

/** An open file; positions are absolute, so a failed write can be repeated or cut back. */
export type OpenFile = {
  /** The system's number for it; absent where there is no system below. */
  readonly descriptor?: number;
  /** Resolves to the bytes written, which may be fewer than given without any error. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Resolves to the bytes read; 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Resolves once what was written survives a power cut; after an error nothing about the file is known any more. */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
};

/** What the archive needs of a disk. Errors carry the system's `code`: `ENOSPC`, `EIO`, `ENOENT`, … */
export type FileSystem = {
  /** `create` makes a file that must not exist yet, `update` one that may; both also read. */
  open(path: string, mode: 'read' | 'create' | 'update'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; fails where the name is taken. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes names in a directory survive a power cut. */
  syncDirectory(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** Bytes that this user may still write, and the size of the disk. */
  space(path: string): Promise<{ readonly free: number; readonly total: number }>;
};

const FLAGS = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  update: constants.O_RDWR | constants.O_CREAT,
};

/**
 * So much is written on this thread: it is a copy into the system's cache, which costs less than asking a thread for it,
 * and in a busy loop the answer of a thread waits for thousands of sockets. The disk itself is waited for by `datasync`.
 */
const AT_ONCE_BYTES = 512 * 1024;

/** The disk. Files are made for the owner alone. */
export const diskFileSystem: FileSystem = {
  async open(path, mode) {
    const handle = await open(path, FLAGS[mode], 0o600);
    return {
      descriptor: handle.fd,
      write: async (bytes, position) =>
        bytes.length <= AT_ONCE_BYTES
          ? writeSync(handle.fd, bytes, 0, bytes.length, position)
          : (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      datasync: () => handle.datasync(),
      truncate: (length) => handle.truncate(length),
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    };
  },
  rename,
  link,
  unlink,
  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (path) => readdir(path),
  async space(path) {
    const { bavail, blocks, bsize } = await statfs(path);
    return { free: bavail * bsize, total: blocks * bsize };
  },
};

/** Writes all of it: a write may be short without an error. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await file.write(done === 0 ? bytes : bytes.subarray(done), position + done);
    if (written === 0) throw Object.assign(new Error('the disk took nothing of a write'), { code: 'EIO' });
    done += written;
  }
}

/** `length` bytes from `position`, fewer where the file ends before. */
export async function readRange(
  file: OpenFile,
  position: number,
  length: number,
): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const read = await file.read(bytes.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** The file's first `length` bytes; default: all. */
export async function readWhole(fileSystem: FileSystem, path: string, length?: number): Promise<Buffer> {
  const file = await fileSystem.open(path, 'read');
  try {
    return await readRange(file, 0, length ?? (await file.size()));
  } finally {
    await file.close();
  }
}

/** Makes a file with this content and syncs it; its name is durable once the directory is synced too. */
export function writeNew(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  return creating(fileSystem, path, (file) => writeAll(file, bytes, 0));
}

const PIECE_BYTES = 256 * 1024;

/** As `writeNew`, of a content that comes part by part; gives what its maker gives at the end. */
export function writeParts<T>(
  fileSystem: FileSystem,
  path: string,
  parts: Generator<Uint8Array, T>,
): Promise<T> {
  return creating(fileSystem, path, async (file) => {
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let position = 0;
    let filled = 0;
    async function flush(): Promise<void> {
      await writeAll(file, piece.subarray(0, filled), position);
      position += filled;
      filled = 0;
    }
    for (;;) {
      const { done, value } = parts.next();
      if (done) {
        await flush();
        return value;
      }
      for (let at = 0; at < value.length; ) {
        const taken = value.subarray(at, at + PIECE_BYTES - filled);
        piece.set(taken, filled);
        filled += taken.length;
        at += taken.length;
        if (filled === PIECE_BYTES) await flush();
      }
    }
  });
}

async function creating<T>(
  fileSystem: FileSystem,
  path: string,
  write: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await fileSystem.open(path, 'create');
  try {
    const written = await write(file);
    await file.datasync();
    return written;
  } finally {
    await file.close();
  }
}

/** The system's code of an error, or ''. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The disk is full: nothing is lost, there is only no room. */
export function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
