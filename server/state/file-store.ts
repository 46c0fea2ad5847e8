import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inSlices } from '#server/in-slices.ts';
import type { Log } from '#server/log.ts';
import { bytesIn, deletePlace, noPlaces, type Places, placesIn, setPlace } from './places.ts';
import { openStateFile, readStateFile, type StateFile } from './state-file.ts';
import { forEachPlace, studentsOf, type Writes, type Written, type WrittenStudent } from './state-record.ts';
import { type Flush, type FlushResult, type Loaded, type StateStore, taken } from './state-store.ts';

export type FileStoreOptions = {
  readonly folder: string;
  readonly log: Log;
  /** A snapshot is made after so many bytes of flushes, or as many as what lives, whichever is more. */
  readonly snapshotBytes?: number;
};

type Index = Map<string, Places>;

const SNAPSHOT_BYTES = 64 * 1024 * 1024;
/** A state that changes twice meanwhile is written once; nobody but this process reads the file. */
const FLUSH_BYTES = 40 * 1024 * 1024;
const LONGEST_PACE_MS = 10_000;
const SNAPSHOT_RECORD_BYTES = 1024 * 1024;
/** Students read at once for a snapshot: asking for them is work in one go. */
const READ_TOGETHER = 32;

/**
 * States in one file: a snapshot, then a record per flush. Values stay on disk; memory holds where they are. No sync
 * per flush: what a power cut tears off is folded again. The folder MUST be held by one process alone.
 *
 * A record whose checksum is wrong ends the file, and what came before it is an older, whole state of affairs; a wrong
 * snapshot, or a value that changed on disk since, empties the store.
 */
export async function openFileStore(options: FileStoreOptions): Promise<StateStore> {
  const { folder, log, snapshotBytes = SNAPSHOT_BYTES } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let archive = '';
  let fence = -1;
  let checkpoint = -1;
  let index: Index = new Map();
  let number = 0;
  let since = 0;
  let liveBytes = 0;
  let file = await find();
  let last: Promise<unknown> = Promise.resolve();

  /** One operation at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  }

  async function find(): Promise<StateFile> {
    const names = (await readdir(folder)).sort((a, b) => (a < b ? 1 : -1));
    for (const name of names.filter((one) => one.endsWith('.tmp'))) await rm(join(folder, name));
    const [newest, ...older] = names.filter((one) => one.endsWith('.states'));
    for (const name of older) await rm(join(folder, name));
    if (newest) {
      number = Number.parseInt(newest, 10);
      const found = await readStateFile(join(folder, newest));
      if (found) {
        ({ archive, fence, checkpoint } = found.head);
        for (const written of found.records) for (const one of studentsOf(written)) take(written, one);
        since = found.bytesSinceSnapshot;
        return openStateFile(join(folder, newest), found.end);
      }
      log.error({ name: newest }, 'the stored states are damaged: everything is folded again');
    }
    return startAnew();
  }

  function take(written: Written, one: WrittenStudent): void {
    const places = index.get(one.student) ?? noPlaces();
    for (const field of one.del) liveBytes -= deletePlace(places, field);
    forEachPlace(written, one, (field, at, bytes, crc) => {
      liveBytes += setPlace(places, field, at, bytes, crc);
    });
    if (places.slots.size > 0) index.set(one.student, places);
    else index.delete(one.student);
  }

  async function takeAll(written: Written): Promise<void> {
    await inSlices(studentsOf(written), (one) => take(written, one));
  }

  /** An empty store in a file of its own; the one before stays until the new one has its name. */
  async function startAnew(): Promise<StateFile> {
    index = new Map();
    liveBytes = 0;
    checkpoint = -1;
    return replace(async () => {});
  }

  async function replace(fill: (to: StateFile) => Promise<void>): Promise<StateFile> {
    const before = join(folder, nameOf(number));
    const path = join(folder, `${number + 1}.tmp`);
    const to = await openStateFile(path, 0);
    await fill(to);
    await to.append({ kind: 'whole', archive, fence, checkpoint }, []);
    await to.sync();
    await rename(path, join(folder, nameOf(number + 1)));
    await to.syncFolder(folder);
    number += 1;
    since = 0;
    await rm(before, { force: true });
    return to;
  }

  /** Places move while it is made: where it fails, all of them are void (see `damaged`). */
  async function snapshot(): Promise<void> {
    const before = file;
    file = await replace(async (to) => {
      let batch: [string, Places][] = [];
      let bytes = 0;
      const write = async () => {
        const writes: Writes[] = [];
        for (let i = 0; i < batch.length; i += READ_TOGETHER) {
          const some = batch.slice(i, i + READ_TOGETHER);
          writes.push(
            ...(await Promise.all(some.map(([student, places]) => readAgain(before, student, places)))),
          );
        }
        await takeAll(await to.append({ kind: 'part' }, writes));
        batch = [];
        bytes = 0;
      };
      for (const entry of index) {
        batch.push(entry);
        bytes += bytesIn(entry[1]);
        if (bytes >= SNAPSHOT_RECORD_BYTES) await write();
      }
      await write();
    });
    await before.close();
  }

  async function flush(flush: Flush): Promise<FlushResult> {
    if (flush.fence < fence) return { ok: false, why: 'fenced' };
    if (flush.base !== checkpoint) return { ok: false, why: 'stale' };
    const { size } = file;
    const written = await file.append(
      { kind: 'flush', archive, fence, checkpoint: flush.checkpoint },
      flush.writes,
    );
    await takeAll(written);
    checkpoint = flush.checkpoint;
    since += file.size - size;
    if (since >= Math.max(snapshotBytes, liveBytes)) await snapshot().catch(damaged);
    return { ok: true };
  }

  async function damaged(cause: unknown): Promise<void> {
    log.error(
      { reason: cause instanceof Error ? cause.name : '' },
      'the stored states are damaged: everything is folded again',
    );
    const before = file;
    file = await startAnew();
    await before.close();
  }

  async function load(student: string): Promise<Loaded> {
    try {
      const bytes = await file.read(placesIn(index.get(student) ?? noPlaces()));
      return { checkpoint, fields: new Map([...bytes].map(([field, value]) => [field, value.toString()])) };
    } catch (cause) {
      await damaged(cause);
      return { checkpoint, fields: new Map() };
    }
  }

  async function claim(claimed: Parameters<StateStore['claim']>[0]): Promise<number> {
    if (claimed.archive === archive && claimed.fence < fence) throw taken();
    const isOther = claimed.archive !== archive;
    ({ archive, fence } = claimed);
    if (isOther || checkpoint >= claimed.end) {
      const before = file;
      file = await startAnew();
      await before.close();
    } else await file.append({ kind: 'flush', archive, fence, checkpoint }, []);
    return checkpoint;
  }

  return {
    flushBytes: FLUSH_BYTES,
    longestPaceMs: LONGEST_PACE_MS,
    claim: (claimed) => inTurn(() => claim(claimed)),
    load: (student) => inTurn(() => load(student)),
    flush: (one) => inTurn(() => flush(one)),
    empty: (by) =>
      inTurn(async () => {
        if (by < fence) return;
        const before = file;
        file = await startAnew();
        await before.close();
      }),
    async *students() {
      yield* await inTurn(async () => [...index.keys()]);
    },
    close: () => inTurn(() => file.close()),
  };
}

async function readAgain(file: StateFile, student: string, places: Places): Promise<Writes> {
  return { student, set: [...(await file.read(placesIn(places)))], del: [] };
}

function nameOf(number: number): string {
  return `${String(number).padStart(12, '0')}.states`;
}
