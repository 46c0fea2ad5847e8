import { basename, dirname } from 'node:path';
import { type Connection, openConnection } from './connections.ts';
import type { Moment } from './trace.ts';

/** What the calls of a server say of D1 (delivery.md §1, §5, §6): every broken promise a sentence with its line of the trace. */
export type Audit = {
  readonly early: readonly string[];
  readonly unsynced: readonly string[];
  /** Acknowledged: seqs and answers. */
  readonly events: number;
  readonly answers: number;
  readonly badRows: number;
  readonly seals: number;
  readonly checkpoints: number;
};

type Entry = {
  readonly o: number;
  readonly k: string;
  readonly p?: string;
  readonly f?: number;
  readonly n?: number;
  readonly ev?: readonly unknown[];
};
/** `written`: entries that are in the file and not yet synced. */
type File = { isDirty: boolean; isNamed: boolean; written: Entry[] };
type Syncing = { readonly entries: readonly Entry[] };

const GROUP_HEADER = 88;
const TAG = 16;

/** Goes through all moments of one process. `archive` and `states`: its directories. */
export function auditCalls(
  moments: Iterable<Moment>,
  { archive, states }: { readonly archive: string; readonly states: string },
): Audit {
  const early: string[] = [];
  const unsynced: string[] = [];
  const files = new Map<string, File>();
  const syncing = new Map<string, Syncing>();
  const connections = new Map<string, Connection>();
  const durable = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  /** Names in each directory that it has not been synced for. */
  const unnamed = new Map<string, Set<string>>();
  let durableTo = -1;
  const seen = { answers: 0, badRows: 0, seals: 0, checkpoints: 0 };
  let commits = 0;

  const fileOf = (path: string): File => {
    const file = files.get(path) ?? { isDirty: false, isNamed: true, written: [] };
    files.set(path, file);
    return file;
  };
  const isOurs = (path: string) => path.startsWith(`${archive}/`) || path.startsWith(`${states}/`);
  const named = (path: string) => {
    unnamed.set(dirname(path), (unnamed.get(dirname(path)) ?? new Set()).add(path));
    fileOf(path).isNamed = false;
  };

  function settle(entries: readonly Entry[]): void {
    for (const { o, k, p, f, n, ev } of entries) {
      durableTo = Math.max(durableTo, o);
      if (k === 'bad') seen.badRows += 1;
      if (p === undefined || f === undefined) continue;
      // A producer's entries stand in order of seq, so the highest of them covers all below.
      durable.set(p, Math.max(durable.get(p) ?? 0, f + (n ?? ev?.length ?? 0) - 1));
    }
  }

  function wrote({ target, strings, result, line }: Moment): void {
    const bytes = Buffer.concat(strings);
    if (result !== bytes.length) throw new Error(`line ${line}: a write of ${bytes.length} gave ${result}`);
    const file = fileOf(target);
    file.isDirty = true;
    if (target.endsWith('.open') && bytes.toString('latin1', 0, 4) !== 'LOA1')
      file.written.push(...entriesOf(bytes));
  }

  /** Before it is written: a checkpoint never goes ahead of what is durable. */
  function checkStates({ strings, line }: Moment): void {
    for (const [, checkpoint] of Buffer.concat(strings)
      .toString('latin1')
      .matchAll(/"fence":-?\d+,"checkpoint":(-?\d+)/g)) {
      seen.checkpoints += 1;
      if (durableTo >= 0 && Number(checkpoint) > durableTo)
        unsynced.push(`line ${line}: checkpoint ${checkpoint}, durable is ${durableTo}`);
    }
  }

  function answered({ target, strings, line }: Moment): void {
    for (const { producer, upTo } of connectionOf(target).acknowledged(Buffer.concat(strings))) {
      seen.answers += 1;
      const known = durable.get(producer) ?? 0;
      if (upTo > known) early.push(`line ${line}: ${producer} is told of ${upTo}, durable is ${known}`);
      acknowledged.set(producer, Math.max(acknowledged.get(producer) ?? 0, upTo));
    }
  }

  const connectionOf = (target: string): Connection => {
    const connection = connections.get(target) ?? openConnection();
    connections.set(target, connection);
    return connection;
  };

  /** A file takes its lasting name: what it holds is durable, and what it relies on too. */
  function takesName(from: string, to: string, line: number): void {
    if (fileOf(from).isDirty)
      unsynced.push(`line ${line}: ${basename(to)} gets its name before its content is synced`);
    if (to.includes('/commits/')) {
      commits += 1;
      for (const [path, { isDirty }] of files) {
        const isRelied = path.startsWith(`${archive}/`) && !path.endsWith('.open') && path !== from;
        if (isRelied && isDirty)
          unsynced.push(`line ${line}: a commit relies on ${basename(path)}, which is not synced`);
      }
      for (const path of unnamed.get(`${archive}/p000`) ?? [])
        if (path.endsWith('.seg'))
          unsynced.push(`line ${line}: a commit relies on the name ${basename(path)}`);
    }
    named(to);
  }

  function goes(path: string, line: number): void {
    if (!path.endsWith('.open')) return;
    seen.seals += 1;
    for (const name of unnamed.get(`${archive}/commits/p000`) ?? [])
      if (name.endsWith('.json'))
        unsynced.push(`line ${line}: ${basename(path)} goes before the name ${basename(name)} is durable`);
    if (seen.seals > commits)
      unsynced.push(`line ${line}: ${basename(path)} goes and no commit took its place`);
  }

  function atSync({ call, target, isDone, result, line }: Moment): void {
    const file = fileOf(target);
    if (!isDone) {
      syncing.set(target, { entries: file.written });
      file.written = [];
      file.isDirty = false; // what is written from here on is not covered
      return;
    }
    if (result !== 0) throw new Error(`line ${line}: ${call} of ${target} gave ${result}`);
    for (const path of unnamed.get(target) ?? []) fileOf(path).isNamed = true;
    unnamed.delete(target);
    const { entries = [] } = syncing.get(target) ?? {};
    if (entries.length > 0 && !file.isNamed)
      early.push(`line ${line}: ${basename(target)} takes entries before its own name is durable`);
    settle(entries);
  }

  for (const moment of moments) {
    const { call, isDone, target, strings, result, line } = moment;
    const [from = '', to = ''] = strings.map(String);
    if (/^f(data)?sync$/.test(call) && (isOurs(target) || target === archive || target === states))
      atSync(moment);
    else if (target.startsWith('TCP')) {
      if (/^(write|writev|sendto|sendmsg)$/.test(call) && !isDone) answered(moment);
      if (/^(read|recvfrom)$/.test(call) && isDone) connectionOf(target).received(Buffer.concat(strings));
      if (call === 'close' && isDone) connections.delete(target);
    } else if (/^p?write(v|64)?$/.test(call) && isOurs(target)) {
      if (!isDone && target.startsWith(states)) checkStates(moment);
      if (isDone) wrote(moment);
    } else if (
      call === 'openat' &&
      isDone &&
      moment.isMaking &&
      (result ?? -1) >= 0 &&
      strings[0] &&
      isOurs(from)
    ) {
      if (from.endsWith('.open') && !files.has(from)) named(from);
    } else if (/^rename/.test(call) && !isDone && isOurs(from)) takesName(from, to, line);
    else if (/^link/.test(call) && !isDone && isOurs(from)) takesName(from, to, line);
    else if (/^unlink/.test(call) && !isDone && isOurs(from)) goes(from, line);
  }
  const events = [...acknowledged.values()].reduce((sum, upTo) => sum + upTo, 0);
  return { early, unsynced, events, ...seen };
}

/** Entries of groups as the layout has them (delivery.md §5). */
function entriesOf(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) {
    const end = at + bytes.readUInt32LE(at) - TAG;
    for (let entry = at + GROUP_HEADER; entry < end; entry += 4 + bytes.readUInt32LE(entry))
      entries.push(
        JSON.parse(bytes.toString('utf8', entry + 4, entry + 4 + bytes.readUInt32LE(entry))) as Entry,
      );
  }
  return entries;
}
