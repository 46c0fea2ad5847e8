import { join } from 'node:path';
import type { Commit } from './commits.ts';
import { ArchiveCorruptError } from './corrupt.ts';
import { type FileSystem, readWhole, writeNew } from './file-system.ts';
import { rebuildSealed } from './rebuild-sealed.ts';
import { streamName } from './seal-parts.ts';
import { checkSealed, readProducersTable, readStreams, type SealedSegment } from './sealed-segment.ts';
import type { Places } from './store.ts';
import type { Streams } from './streams.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export type MenderOptions = {
  readonly fileSystem: FileSystem;
  readonly places: Places;
  readonly archive: string;
  readonly streams: Streams;
  readonly producerDays: number;
  /** A file was found damaged, and what was damaged of it has been made anew. */
  readonly onMended: (file: string) => void;
};

/** Checks what a start found, and makes anew what is derived: what a block holds is the truth, all else follows from it. */
export type Mender = {
  /** Takes committed segments in their order; gives the newest time of receipt in it. */
  check(segment: SealedSegment, commit: Commit): Promise<number>;
  /** The newest producers table, and the ids of streams. MUST be awaited before anything is sealed. */
  finish(): Promise<void>;
};

type Known = { readonly segment: SealedSegment; readonly commit: Commit };

/** Its functions throw `ArchiveCorruptError` where entries themselves are damaged. */
export function openMender(options: MenderOptions): Mender {
  const { fileSystem, places, archive, streams, onMended } = options;
  const known: Known[] = [];
  const learned = new Map<string, string>();

  /** Reads; where that finds damage, makes the segment anew and reads again. */
  async function orMended<T>(place: number, read: (segment: SealedSegment) => Promise<T>): Promise<T> {
    const found = known[place];
    if (!found) throw new Error(`no segment is known at ${place}`);
    try {
      return await read(found.segment);
    } catch (error) {
      if (!(error instanceof ArchiveCorruptError)) throw error;
      await mend(place, found, error);
      return read(found.segment);
    }
  }

  async function mend(place: number, { segment, commit }: Known, found: ArchiveCorruptError): Promise<void> {
    const before = place === 0 ? Buffer.alloc(0) : await orMended(place - 1, tableOf);
    const keepProducersFrom = commit.at - options.producerDays * DAY_MS;
    const file = await readWhole(fileSystem, segment.path);
    const bytes = rebuildSealed({ file, commit, before, keepProducersFrom });
    if (bytes?.length !== segment.bytes) throw found;
    await writeNew(fileSystem, `${segment.path}.tmp`, bytes);
    await fileSystem.rename(`${segment.path}.tmp`, segment.path);
    await fileSystem.syncDirectory(places.segments);
    onMended(segment.file);
  }

  const tableOf = (segment: SealedSegment) => readProducersTable(fileSystem, segment);

  async function learn(segment: SealedSegment, stream: string): Promise<void> {
    const [entry] = await readStreams(fileSystem, segment, [stream]);
    const name = entry && streamName(entry);
    if (name === undefined || streams.ids.has(name) || learned.has(name)) {
      throw new ArchiveCorruptError('keys/streams.log', `it contradicts ${segment.file}`);
    }
    learned.set(name, stream);
  }

  return {
    async check(segment, commit) {
      known.push({ segment, commit });
      const checked = await orMended(known.length - 1, (one) => checkSealed(fileSystem, one, archive));
      const ids = new Set(learned.values());
      for (const stream of checked.streams) {
        if (streams.nameOf(stream) === undefined && !ids.has(stream)) await learn(segment, stream);
      }
      return checked.lastAt;
    },
    async finish() {
      if (known.length > 0) await orMended(known.length - 1, tableOf);
      if (!streams.isDamaged && learned.size === 0) return;
      await streams.rewrite(learned);
      onMended(join('keys', 'streams.log'));
    },
  };
}
