import { join } from 'node:path';
import { type FileSystem, type OpenFile, writeAll } from './file-system.ts';
import { encodeHeader, HEADER_BYTES, hex12 } from './segment-header.ts';

/** A segment in order of arrival. What lies beyond `bytes` in the file is not durable and not there. */
export type OpenSegment = {
  readonly path: string;
  readonly first: number;
  readonly createdAt: number;
  readonly file: OpenFile;
  /** Bytes, entries and their end, all durable. */
  bytes: number;
  end: number;
  /** When its first entry became durable; undefined while it has none. */
  startedAt: number | undefined;
};

export type OpenSegmentOptions = {
  readonly directory: string;
  readonly archive: string;
  readonly first: number;
  readonly fence: number;
  readonly createdAt: number;
};

/** Makes an empty segment whose header and name are durable; takes the file away again where that fails. */
export async function createOpenSegment(
  fileSystem: FileSystem,
  options: OpenSegmentOptions,
): Promise<OpenSegment> {
  const { directory, first, fence, createdAt } = options;
  const path = join(directory, `${hex12(first)}-${hex12(fence)}.open`);
  const file = await fileSystem.open(path, 'create');
  try {
    const header = { ...options, magic: 'LOA1', partition: 0, last: 0, entries: 0, events: 0 } as const;
    await writeAll(file, encodeHeader(header), 0);
    await file.datasync();
    await fileSystem.syncDirectory(directory);
  } catch (error) {
    await file.close();
    await fileSystem.unlink(path);
    throw error;
  }
  return { path, first, createdAt, file, bytes: HEADER_BYTES, end: first, startedAt: undefined };
}
