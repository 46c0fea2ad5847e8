import type { FileSystem, OpenFile } from './file-system.ts';

export type Operation =
  | 'open'
  | 'write'
  | 'read'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'sync-directory'
  | 'list';

/** Called before each operation: an error to throw, a number of bytes for a short write, or nothing. */
export type Fault = (
  operation: Operation,
  path: string,
  count: number,
) => NodeJS.ErrnoException | number | undefined;

type File = { now: Buffer; synced: Buffer };
type Names = Map<string, File>;
/** `undo`-able changes of one directory since its last sync, oldest first. */
type Directory = { now: Names; synced: Names; changes: ((names: Names) => void)[] };

export type SimulatedDisk = {
  readonly fileSystem: FileSystem;
  /** What may happen to operations from now on. */
  setFault(fault: Fault | undefined): void;
  /** Operations so far; a fault counts too. */
  operations(): number;
  setFree(bytes: number): void;
  /**
   * A power cut: the synced bytes and names, and of the rest a random part. Pieces of 64 bytes are lost or kept on their
   * own, a file's length may be the old, the new or one between, a directory keeps a prefix of its changes.
   */
  crash(random: () => number): SimulatedDisk;
  /** The files as a process sees them now, to be read and changed by tests. */
  files(): Map<string, Buffer>;
  replace(path: string, bytes: Buffer): void;
};

const PIECE_BYTES = 64;

export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function split(path: string): [string, string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}

/** A disk in memory that can fail at any operation and lose what was not synced. For tests. */
export function createSimulatedDisk(directories: Map<string, Directory> = new Map()): SimulatedDisk {
  let fault: Fault | undefined;
  let count = 0;
  let free = 2 ** 40;

  const meet = (operation: Operation, path: string): number | undefined => {
    count += 1;
    const met = fault?.(operation, path, count);
    if (met instanceof Error) throw met;
    return met;
  };
  const directoryOf = (path: string): Directory => {
    const found = directories.get(path);
    if (!found) throw systemError('ENOENT');
    return found;
  };
  const find = (path: string): File => {
    const [directory, name] = split(path);
    const file = directories.get(directory)?.now.get(name);
    if (!file) throw systemError('ENOENT');
    return file;
  };
  const change = (path: string, apply: (names: Names) => void) => {
    const directory = directoryOf(path);
    apply(directory.now);
    directory.changes.push(apply);
  };

  function openFile(path: string, file: File): OpenFile {
    return {
      async write(bytes, position) {
        const length = Math.min(bytes.length, meet('write', path) ?? bytes.length);
        if (file.now.length < position + length) {
          file.now = Buffer.concat([file.now, Buffer.alloc(position + length - file.now.length)]);
        } else file.now = Buffer.from(file.now);
        file.now.set(bytes.subarray(0, length), position);
        return length;
      },
      async read(into, position) {
        meet('read', path);
        return file.now.copy(into, 0, position, position + into.length);
      },
      async datasync() {
        meet('sync', path);
        file.synced = file.now;
      },
      async truncate(length) {
        meet('truncate', path);
        file.now = Buffer.from(file.now.subarray(0, length));
      },
      size: async () => file.now.length,
      close: async () => {},
    };
  }

  const fileSystem: FileSystem = {
    async open(path, mode) {
      meet('open', path);
      const [parent, name] = split(path);
      const found = directoryOf(parent).now.get(name);
      if (found && mode === 'create') throw systemError('EEXIST');
      if (!found && mode === 'read') throw systemError('ENOENT');
      if (found) return openFile(path, found);
      const file: File = { now: Buffer.alloc(0), synced: Buffer.alloc(0) };
      change(parent, (names) => names.set(name, file));
      return openFile(path, file);
    },
    async rename(from, to) {
      meet('rename', to);
      const file = find(from);
      const [parent, name] = split(to);
      change(parent, (names) => {
        names.delete(split(from)[1]);
        names.set(name, file);
      });
    },
    async link(from, to) {
      meet('link', to);
      const file = find(from);
      const [parent, name] = split(to);
      if (directoryOf(parent).now.has(name)) throw systemError('EEXIST');
      change(parent, (names) => names.set(name, file));
    },
    async unlink(path) {
      meet('unlink', path);
      find(path);
      const [parent, name] = split(path);
      change(parent, (names) => names.delete(name));
    },
    async syncDirectory(path) {
      meet('sync-directory', path);
      const directory = directories.get(path);
      if (!directory) return;
      directory.synced = new Map(directory.now);
      directory.changes = [];
    },
    async makeDirectory(path) {
      if (!directories.has(path)) directories.set(path, { now: new Map(), synced: new Map(), changes: [] });
    },
    async list(path) {
      meet('list', path);
      return [...directoryOf(path).now.keys()];
    },
    space: async () => ({ free, total: 2 ** 41 }),
  };

  return {
    fileSystem,
    setFault(next) {
      fault = next;
    },
    operations: () => count,
    setFree(bytes) {
      free = bytes;
    },
    crash: (random) => createSimulatedDisk(crashed(directories, random)),
    files() {
      const files = new Map<string, Buffer>();
      for (const [path, { now }] of directories)
        for (const [name, file] of now) files.set(`${path}/${name}`, file.now);
      return files;
    },
    replace(path, bytes) {
      const file = find(path);
      file.now = bytes;
      file.synced = bytes;
    },
  };
}

function crashed(directories: Map<string, Directory>, random: () => number): Map<string, Directory> {
  const survivors = new Map<File, File>();
  const survive = (file: File): File => {
    const bytes = leftOf(file, random);
    const survivor = survivors.get(file) ?? { now: bytes, synced: bytes };
    survivors.set(file, survivor);
    return survivor;
  };
  const left = new Map<string, Directory>();
  for (const [path, directory] of directories) {
    const names: Names = new Map(directory.synced);
    const kept = Math.floor(random() * (directory.changes.length + 1));
    for (const apply of directory.changes.slice(0, kept)) apply(names);
    const now = new Map([...names].map(([name, file]) => [name, survive(file)]));
    left.set(path, { now, synced: new Map(now), changes: [] });
  }
  return left;
}

function leftOf({ now, synced }: File, random: () => number): Buffer {
  if (now === synced) return now;
  const [shorter, longer] = [Math.min(now.length, synced.length), Math.max(now.length, synced.length)];
  const dice = random();
  const length =
    dice < 0.3 ? shorter : dice < 0.7 ? longer : shorter + Math.floor(random() * (longer - shorter));
  const bytes = Buffer.alloc(length);
  const share = random();
  for (let at = 0; at < length; at += PIECE_BYTES) {
    const from = random() < share ? now : synced;
    if (at < from.length) from.copy(bytes, at, at, Math.min(at + PIECE_BYTES, length));
  }
  return bytes;
}
