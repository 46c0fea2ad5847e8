import { closeSync, openSync, readSync } from 'node:fs';
import { ArchiveCorruptError } from './corrupt.ts';

/** An open segment's durable bytes, taken by their place: whoever seals has no more than a group of them in memory. */
export type OpenBytes = {
  readonly length: number;
  /** Fills `into` with what begins at `position`. Throws `ArchiveCorruptError` where the segment ends before. */
  copy(into: Uint8Array, position: number): void;
};

export function bytesInMemory(bytes: Uint8Array): OpenBytes {
  return {
    length: bytes.length,
    copy(into, position) {
      if (position + into.length > bytes.length) throw tooShort(position);
      into.set(bytes.subarray(position, position + into.length));
    },
  };
}

/** For a thread that may wait for the disk. `onCopy`: before each piece. */
export function bytesInFile(
  path: string,
  length: number,
  onCopy: () => void = () => {},
): OpenBytes & { close(): void } {
  const file = openSync(path, 'r');
  return {
    length,
    copy(into, position) {
      onCopy();
      for (let done = 0; done < into.length; ) {
        const read = readSync(file, into, done, into.length - done, position + done);
        if (read === 0) throw tooShort(position);
        done += read;
      }
    },
    close: () => closeSync(file),
  };
}

function tooShort(position: number): ArchiveCorruptError {
  return new ArchiveCorruptError(`open segment, byte ${position}`, 'its end is missing');
}
