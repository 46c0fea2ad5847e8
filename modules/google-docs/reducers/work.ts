import { type Body, EMPTY_BODY, type Recording } from '#modules/writing/edit.ts';
import { MAIN_TAB } from '#modules/writing/events.ts';
import type { Counts, DocText } from './state.ts';

const MAX_TABS = 128;
const MAX_UNKNOWN = 32;
/** An event may be told in so many parts; what is beyond becomes one load per tab. */
const MAX_PARTS = 64;

/** Ops, or a load, of one tab, to be emitted in order; `body` is the tab's text after them. */
export type Part = {
  readonly tab: string;
  readonly recording: Recording;
  readonly reason: 'history' | 'template' | 'revert' | null;
  body: Body;
};

/** What one event changes, while its commands are worked through; nothing outside sees it before its end. */
export type Work = {
  main: Body;
  tabs: { readonly [tab: string]: Body };
  counts: Counts;
  deleted: readonly string[];
  /** Null while a history is replayed: then nothing is told. */
  parts: Part[] | null;
  /** Tabs with more parts than can be told. */
  readonly crowded: Set<string>;
};

export function workOn(state: DocText, parts: Part[] | null = []): Work {
  const { main, tabs, counts, deleted } = state;
  return { main, tabs, counts, deleted, parts, crowded: new Set() };
}

export function bodyIn(work: Work, tab: string): Body {
  return tab === MAIN_TAB ? work.main : (work.tabs[tab] ?? EMPTY_BODY);
}

/** False for one tab more than are kept of a document. */
function hasRoom(work: Work, tab: string): boolean {
  return tab === MAIN_TAB || Object.hasOwn(work.tabs, tab) || Object.keys(work.tabs).length < MAX_TABS;
}

function keep(work: Work, tab: string, body: Body): void {
  if (tab === MAIN_TAB) work.main = body;
  else work.tabs = { ...work.tabs, [tab]: body };
}

/** Edits a tab; `change` gets the text and where to write its ops. */
export function editIn(
  work: Work,
  tab: string,
  change: (body: Body, recording: Recording | null) => Body,
): void {
  if (!hasRoom(work, tab)) {
    count(work, { skipped: work.counts.skipped + 1 });
    return;
  }
  const part = openPart(work, tab);
  const body = change(bodyIn(work, tab), part?.recording ?? null);
  keep(work, tab, body);
  if (part === null) return;
  part.body = body;
  work.deleted = part.recording.deleted;
}

function openPart(work: Work, tab: string): Part | null {
  if (work.parts === null || work.crowded.has(tab)) return null;
  const last = work.parts.findLast((part) => part.tab === tab);
  if (last && last.reason === null) {
    last.recording.deleted = work.deleted;
    return last;
  }
  if (work.parts.length >= MAX_PARTS) {
    work.crowded.add(tab);
    return null;
  }
  const part: Part = {
    tab,
    recording: { ops: [], deleted: work.deleted },
    reason: null,
    body: bodyIn(work, tab),
  };
  work.parts.push(part);
  return part;
}

/** Replaces a tab's text as a whole. */
export function loadIn(work: Work, tab: string, body: Body, reason: Part['reason']): void {
  if (!hasRoom(work, tab)) {
    count(work, { skipped: work.counts.skipped + 1 });
    return;
  }
  keep(work, tab, body);
  if (work.parts === null) return;
  if (work.parts.length >= MAX_PARTS) work.crowded.add(tab);
  else if (!work.crowded.has(tab))
    work.parts.push({ tab, recording: { ops: [], deleted: [] }, reason, body });
}

export function count(work: Work, some: Partial<Counts>): void {
  work.counts = { ...work.counts, ...some };
}

export function countUnknown(work: Work, ty: string): void {
  const { unknown } = work.counts;
  const isListed = Object.hasOwn(unknown, ty) || Object.keys(unknown).length < MAX_UNKNOWN;
  const name = isListed && /^\w{1,16}$/.test(ty) && ty !== '__proto__' ? ty : 'other';
  count(work, {
    unknown: { ...unknown, [name]: (Object.hasOwn(unknown, name) ? (unknown[name] ?? 0) : 0) + 1 },
  });
}
