import { text } from '#modules/kit/index.ts';
import { type Body, insertAt, type Recording, removeAt } from '#modules/writing/edit.ts';
import { type Command, isCommand } from '../events.ts';
import { bodyIn, count, countUnknown, editIn, loadIn, type Work } from './work.ts';

const DEEPEST = 32;

/** Formatting, drawings, selections and whatever else is no text (writing.md §1.2). */
const IGNORED = new Set(
  'as ae ue de te ase ast astss dse mefd msfd ras rte rue sas ste sue uefd use usfd null ord sl umv ucp ac mkch'.split(
    ' ',
  ),
);

/** Google allows 1.02 million characters: a position far beyond is a fault, and filling up to it would cost memory. */
const FURTHEST = 2_000_000;

const isPosition = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= FURTHEST;

/** Works one command into `tab`. Positions on the wire count from 1, and their ranges include the end. */
export function apply(work: Work, tab: string, command: Command, depth = 0): void {
  switch (command.ty) {
    case 'is':
      return insert(work, tab, command);
    case 'ds':
      return remove(work, tab, command);
    case 'mlti':
      return several(work, tab, command.mts, depth);
    case 'rplc':
      return replace(work, tab, command);
    case 'rvrt':
      return revert(work, tab, command);
    case 'nm':
      return inTab(work, tab, command, depth);
    case 'iss':
      return suggest(work, { ins: typeof command.s === 'string' ? command.s.length : 0, del: 0 });
    case 'dss':
      return suggest(work, { ins: 0, del: rangeOf(command)?.size ?? 0 });
    default:
      if (!IGNORED.has(command.ty)) countUnknown(work, command.ty);
  }
}

const skip = (work: Work) => count(work, { skipped: work.counts.skipped + 1 });

function insert(work: Work, tab: string, { ibi, s }: Command): void {
  if (!isPosition(ibi) || typeof s !== 'string') return skip(work);
  editIn(work, tab, (body, recording) => insertAt(body, ibi - 1, s, recording));
}

function rangeOf({
  si,
  ei,
}: Command): { readonly from: number; readonly to: number; readonly size: number } | null {
  if (!isPosition(si) || !isPosition(ei) || ei < si) return null;
  return { from: si - 1, to: ei, size: ei - si + 1 };
}

function remove(work: Work, tab: string, command: Command): void {
  const range = rangeOf(command);
  if (range === null) return skip(work);
  editIn(work, tab, (body, recording) => removeAt(body, range.from, range.to, recording));
}

function several(work: Work, tab: string, commands: unknown, depth: number): void {
  if (!Array.isArray(commands) || depth >= DEEPEST) return skip(work);
  for (const command of commands) {
    if (isCommand(command)) apply(work, tab, command, depth + 1);
    else skip(work);
  }
}

/** `nmr` names the tab by its last string that starts with `t.`; without one the tab in force stays. */
function inTab(work: Work, tab: string, { nmc, nmr }: Command, depth: number): void {
  if (!isCommand(nmc) || depth >= DEEPEST) return skip(work);
  apply(work, tabNamedBy(nmr) ?? tab, nmc, depth + 1);
}

export function tabNamedBy(names: unknown): string | undefined {
  if (!Array.isArray(names)) return undefined;
  return names.findLast((name) => typeof name === 'string' && /^t\..{1,100}$/.test(name));
}

function suggest(work: Work, { ins, del }: { readonly ins: number; readonly del: number }): void {
  const { suggested } = work.counts;
  count(work, { suggested: { ins: suggested.ins + ins, del: suggested.del + del } });
}

type Entry = { readonly pos: number; readonly s: string; readonly over: number };

/** The text entries of a snapshot; one that is no good is counted and left out. */
function entriesOf(work: Work, snapshot: unknown): readonly Entry[] {
  if (!Array.isArray(snapshot)) {
    skip(work);
    return [];
  }
  const entries: Entry[] = [];
  for (const one of snapshot) {
    if (!isCommand(one) || one.ty !== 'is') continue;
    const { ibi, s, sl } = one;
    if (isPosition(ibi) && typeof s === 'string') entries.push({ pos: ibi - 1, s, over: overOf(sl, s) });
    else skip(work);
  }
  return entries;
}

const overOf = (sl: unknown, s: string) =>
  Number.isInteger(sl) && (sl as number) >= 0 ? (sl as number) : s.length;

function overwrite(body: Body, entries: readonly Entry[], recording: Recording | null): Body {
  let next = body;
  for (const { pos, s, over } of entries) {
    const to = Math.min(pos + over, text.length(next.text));
    if (to > pos) next = removeAt(next, pos, to, recording);
    if (s !== '') next = insertAt(next, pos, s, recording);
  }
  return { ...next, cursor: Math.min(body.cursor, text.length(next.text)) };
}

function replace(work: Work, tab: string, { snapshot }: Command): void {
  const entries = entriesOf(work, snapshot);
  if (entries.length === 0) return;
  const body = bodyIn(work, tab);
  if (text.length(body.text) > 0)
    return editIn(work, tab, (now, recording) => overwrite(now, entries, recording));
  const filled = overwrite(body, entries, null);
  if (text.length(filled.text) === 0) return;
  loadIn(work, tab, { ...filled, given: text.length(filled.text) }, 'template');
}

function revert(work: Work, tab: string, { snapshot }: Command): void {
  const entries = entriesOf(work, snapshot);
  const last = entries.at(-1);
  if (last === undefined) return count(work, { uncertain: work.counts.uncertain + 1 });
  const body = bodyIn(work, tab);
  const written = overwrite(body, entries, null);
  const end = last.pos + last.s.length;
  const length = text.length(written.text);
  const cut = end < length ? removeAt(written, end, length, null) : written;
  loadIn(work, tab, { ...cut, cursor: Math.min(body.cursor, end) }, 'revert');
}
