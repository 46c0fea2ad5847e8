import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Small numbers by name that outlive the process, each to the end of its time. */
export type KeptValues = {
  /** What was put last; undefined once its time is over. */
  get(name: string): readonly number[] | undefined;
  /** Names and values of this beginning that are still in their time. */
  startingWith(prefix: string): Iterable<readonly [name: string, values: readonly number[]]>;
  /** When it returns, the death of the process loses it no more; that of the machine may. `until`: ms since 1970. */
  put(name: string, until: number, values: readonly number[]): void;
  /** For a name, in place of what the file shall not tell, an address: the same text gives the same as long as the secret is. */
  hidden(text: string): string;
  /** Leaves what is in force alone in the file. What is put later is dropped. */
  close(): void;
};

type Row = readonly [name: string, until: number, ...values: number[]];

/** Past this, and twice what is in force, the file is written anew with what is in force. */
const ROOM_BYTES = 1024 * 1024;
/** Or past this, so that nobody's name stays much longer than its time. */
const ANEW_EVERY_MS = 60 * 60_000;

/**
 * A file of lines, the last of a name counts. Written synchronously and never synced: what limits count is worth less than an
 * event. Where it cannot be read or written the values live in memory alone; `onError` hears of it.
 * `secret`: lies elsewhere than the file; without one, what was hidden is found again by this process alone.
 */
export function openKeptValues({
  file,
  clock,
  secret,
  onError = () => {},
}: {
  readonly file: string;
  readonly clock: () => number;
  readonly secret?: string | undefined;
  readonly onError?: (error: unknown) => void;
}): KeptValues {
  const key = secret ?? randomBytes(32);
  const rows = readRows(file, clock());
  let bytes = 0;
  let anewAt = 0;
  let isClosed = false;
  let descriptor: number | null = null;

  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      onError(error);
    }
  };

  function writeAnew(): void {
    const now = clock();
    anewAt = now + ANEW_EVERY_MS;
    for (const [name, [, until]] of rows) if (until <= now) rows.delete(name);
    const text = [...rows.values()].map(lineOf).join('');
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    if (descriptor !== null) closeSync(descriptor);
    descriptor = openSync(file, 'a');
    bytes = -text.length; // so that as much again may be written before the next time
  }

  attempt(writeAnew);
  return {
    get(name) {
      const row = rows.get(name);
      return row && row[1] > clock() ? row.slice(2).map(Number) : undefined;
    },
    *startingWith(prefix) {
      const now = clock();
      for (const [name, [, until, ...values]] of rows)
        if (name.startsWith(prefix) && until > now) yield [name, values];
    },
    put(name, until, values) {
      if (isClosed) return;
      const row: Row = [name, until, ...values];
      rows.set(name, row);
      if (descriptor === null) return;
      attempt(() => {
        const line = lineOf(row);
        bytes += line.length;
        if (bytes > ROOM_BYTES || clock() >= anewAt) writeAnew();
        else if (descriptor !== null) writeSync(descriptor, line);
      });
    },
    hidden: (text) => createHmac('sha256', key).update(`limits\0${text}`).digest('base64url'),
    close() {
      isClosed = true;
      if (descriptor !== null) attempt(writeAnew);
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}

/** Begins with the end of the line before it, which a full disk may have cut. */
function lineOf(row: Row): string {
  return `\n${JSON.stringify(row)}`;
}

function readRows(file: string, now: number): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of readText(file).split('\n')) {
    const row = rowOf(line);
    if (row && row[1] > now) rows.set(row[0], row);
  }
  return rows;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Null: a line that was never finished. */
function rowOf(line: string): Row | null {
  try {
    const row: unknown = JSON.parse(line);
    if (!Array.isArray(row) || row.length < 2 || typeof row[0] !== 'string') return null;
    return row.slice(1).every((value) => Number.isFinite(value)) ? (row as unknown as Row) : null;
  } catch {
    return null;
  }
}
