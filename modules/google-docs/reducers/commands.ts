import { text } from '#modules/kit/index.ts';
import { type Body, insertAt, MOST_CHARACTERS, type Recording, removeAt } from '#modules/writing/edit.ts';
import { type Command, isCommand } from '../events.ts';
import { bodyIn, count, countUnknown, editIn, loadIn, type Work } from './work.ts';

const DEEPEST = 32;

/** Formatting, drawings, selections and whatever else is no text (writing.md §1.2). */
const IGNORED = new Set(
  'as ae ue de te ase ast astss dse mefd msfd ras rte rue sas ste sue uefd use usfd null ord sl umv ucp ac mkch'.split(
    ' ',
  ),
);

const isPosition = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_CHARACTERS;

type Handler = (work: Work, tab: string, command: Command, depth: number) => void;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['is', insert],
  ['ds', remove],
  ['mlti', several],
  ['rplc', replace],
  ['rvrt', revert],
  ['nm', inTab],
  ['iss', suggestInsertion],
  ['dss', suggestDeletion],
]);

/** Works one command into `tab`. Positions on the wire count from 1, and their ranges include the end. */
export function apply(work: Work, tab: string, command: Command, depth = 0): void {
  const handler = HANDLERS.get(command.ty);
  if (handler) handler(work, tab, command, depth);
  else if (!IGNORED.has(command.ty)) countUnknown(work, command.ty);
}

function skip(work: Work): void {
  count(work, { skipped: work.counts.skipped + 1 });
}

function insert(work: Work, tab: string, { ibi, s }: Command): void {
  if (!isPosition(ibi) || typeof s !== 'string') skip(work);
  else editIn(work, tab, (body, recording) => insertAt(body, ibi - 1, s, recording));
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
  if (range === null) skip(work);
  else editIn(work, tab, (body, recording) => removeAt(body, range.from, range.to, recording));
}

function several(work: Work, tab: string, { mts: commands }: Command, depth: number): void {
  if (!Array.isArray(commands) || depth >= DEEPEST) skip(work);
  else
    for (const command of commands) {
      if (isCommand(command)) apply(work, tab, command, depth + 1);
      else skip(work);
    }
}

/** `nmr` names the tab by its last string that starts with `t.`; without one the tab in force stays. */
function inTab(work: Work, tab: string, { nmc, nmr }: Command, depth: number): void {
  if (!isCommand(nmc) || depth >= DEEPEST) skip(work);
  else apply(work, tabNamedBy(nmr) ?? tab, nmc, depth + 1);
}

export function tabNamedBy(names: unknown): string | undefined {
  if (!Array.isArray(names)) return undefined;
  return names.findLast((name) => typeof name === 'string' && /^t\..{1,100}$/.test(name));
}

function suggestInsertion(work: Work, _tab: string, { s }: Command): void {
  suggest(work, typeof s === 'string' ? s.length : 0, 0);
}

function suggestDeletion(work: Work, _tab: string, command: Command): void {
  suggest(work, 0, rangeOf(command)?.size ?? 0);
}

function suggest(work: Work, ins: number, del: number): void {
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
  const isEmpty = text.length(bodyIn(work, tab).text) === 0;
  if (isEmpty) fill(work, tab, entries);
  else editIn(work, tab, (body, recording) => overwrite(body, entries, recording));
}

function fill(work: Work, tab: string, entries: readonly Entry[]): void {
  const filled = overwrite(bodyIn(work, tab), entries, null);
  const given = text.length(filled.text);
  if (given > 0) loadIn(work, tab, { ...filled, given }, 'template');
}

function revert(work: Work, tab: string, { snapshot }: Command): void {
  const entries = entriesOf(work, snapshot);
  const last = entries.at(-1);
  if (last === undefined) count(work, { uncertain: work.counts.uncertain + 1 });
  else loadIn(work, tab, revertedTo(bodyIn(work, tab), entries, last.pos + last.s.length), 'revert');
}

/** The entries written over the text, and what lies behind `end` cut off. */
function revertedTo(body: Body, entries: readonly Entry[], end: number): Body {
  const written = overwrite(body, entries, null);
  const length = text.length(written.text);
  const cut = end < length ? removeAt(written, end, length, null) : written;
  return { ...cut, cursor: Math.min(body.cursor, end) };
}
