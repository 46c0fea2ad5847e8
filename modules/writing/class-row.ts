import { type Classroom, type Read, type StateOf, type Student, text } from '#modules/kit/index.ts';
import { localDay } from './day.ts';
import { EXCERPT_REACH, type Excerpt, excerptOf } from './excerpt.ts';
import { type Quality, qualityOf } from './quality.ts';
import { readable } from './readable.ts';
import { acts } from './reducers/acts.ts';
import { captureGaps } from './reducers/capture-gaps.ts';
import { documentText, type Sheet, sheetOf } from './reducers/document-text.ts';
import { documents } from './reducers/documents.ts';
import { isLargePaste, pastes } from './reducers/pastes.ts';
import { presence } from './reducers/presence.ts';
import { type PulseBin, pulse } from './reducers/pulse.ts';
import { secondsOnTask, timeOnTask } from './reducers/time-on-task.ts';

/** 30 s of writing: characters added and removed, those of them added away from the edge, words won, active seconds. */
export type Bin = readonly [
  added: number,
  removed: number,
  away: number,
  netWords: number,
  activeSeconds: number,
];
export type Flag = { readonly kind: 'large-paste'; readonly at: number; readonly n: number };
export type Acted = {
  readonly [cause: string]: {
    readonly did: 'seen' | 'snoozed' | 'helped';
    readonly at: number;
    readonly until: number | null;
  };
};

/** One student in the class dashboard. Times in whole seconds since 1970; flat, so that a keystroke is a small delta. */
export type ClassRow = {
  readonly doc: string | null;
  readonly title: string | null;
  readonly words: number;
  /** The text around the cursor; a part not seen is one `…`. */
  readonly before: string;
  readonly after: string;
  /** On the shown document: pauses count up to 60 s. */
  readonly activeSeconds: number;
  /** The last change, the last insertion, and the first insertion of the student's day. */
  readonly wroteAt: number | null;
  readonly insAt: number | null;
  readonly startedAt: number | null;
  readonly focused: boolean;
  /** Standing connections; `lostAt`: when the last one ended, null for tools that report without a connection. */
  readonly open: number;
  readonly lostAt: number | null;
  /** Any signal since the day of the lesson began or, while the lesson's start is not set, ever: then look at `signalAt`. */
  readonly seenToday: boolean;
  /** The first signal of the student's latest day (a run of signals with pauses under six hours). */
  readonly signalAt: number | null;
  readonly pausedUntil: number | null;
  /**
   * Closed half minutes up to `binAt`, oldest first, without a hole: numbers parted by spaces, bins by `;`. One text, since each key
   * compares them. `bin`: the running one, which began at `binAt`.
   */
  readonly bins: string;
  readonly bin: Bin;
  readonly binAt: number;
  readonly cycles: readonly (readonly [t: number, pos: number])[];
  readonly flags: readonly Flag[];
  readonly quality: readonly Quality[];
  readonly ownPace: boolean;
  /** What teachers did, by cause; `did: 'snoozed'` has `until`. */
  readonly acted: Acted;
};

type Reading = { readonly student: Student; readonly classroom: Classroom; readonly read: Read };

/** @param largePaste characters from which on a paste is flagged. */
export async function classRowOf(
  { student, classroom, read }: Reading,
  largePaste: number,
): Promise<ClassRow> {
  // One after the other: a student's states are in memory together, and each key runs this.
  const lately = await read(pulse);
  const about = await read(documents);
  const here = await read(presence);
  const acted = await read(acts);
  const doc = lately.doc ?? about.last;
  const ownPace = isAtOwnPace(student);
  const shown =
    doc === null
      ? NO_DOCUMENT
      : await documentOf(read, doc, lately.tab ?? undefined, ownPace ? null : largePaste, here);
  return {
    ...shown,
    title: doc === null ? null : (about.docs[doc]?.title ?? null),
    wroteAt: maybe(lately.wroteAt),
    insAt: maybe(lately.insAt),
    startedAt: maybe(lately.startedAt),
    focused: lately.focused,
    bins: lately.bins,
    bin: binOf(lately.bin),
    binAt: seconds(lately.binAt),
    cycles: lately.cycles.map(([t, pos]) => [seconds(t), pos] as const),
    ...signalOf(here, lately, classroom),
    ownPace,
    acted: actedOf(acted),
  };
}

export function isAtOwnPace({ accommodations = [] }: Student): boolean {
  return accommodations.includes('own-pace') || accommodations.includes('voice-typing');
}

const NO_DOCUMENT = {
  doc: null,
  words: 0,
  before: '',
  after: '',
  activeSeconds: 0,
  flags: [],
  quality: [],
} as const;

async function documentOf(
  read: Read,
  doc: string,
  tab: string | undefined,
  largePaste: number | null,
  here: StateOf<typeof presence>,
) {
  const written = await read(documentText, { doc });
  const time = await read(timeOnTask, { doc });
  const pasted = await read(pastes, { doc });
  const gaps = await read(captureGaps);
  const sheet = sheetOf(written, tab);
  const large = largePaste === null ? [] : pasted.list.filter((paste) => isLargePaste(paste, largePaste));
  return {
    doc,
    words: sheet.words,
    ...excerptAt(sheet),
    activeSeconds: Math.round(secondsOnTask(time)),
    flags: large.map(({ t, n }): Flag => ({ kind: 'large-paste', at: seconds(t), n })),
    quality: qualityOf(sheet, here, gaps),
  };
}

function excerptAt({ text: written, cursor, unknown }: Sheet): Excerpt {
  const from = Math.max(0, cursor - EXCERPT_REACH);
  const piece = text.slice(written, from, cursor + EXCERPT_REACH);
  const { before, after } = excerptOf(piece, cursor - from);
  return unknown === 0 ? { before, after } : { before: readable(before), after: readable(after) };
}

function signalOf(here: StateOf<typeof presence>, lately: StateOf<typeof pulse>, classroom: Classroom) {
  const latest = Math.max(here.heard ?? 0, lately.last ?? 0);
  const first = Math.min(here.day ?? Number.POSITIVE_INFINITY, lately.firstAt ?? Number.POSITIVE_INFINITY);
  return {
    open: here.open.length,
    lostAt: maybe(here.lost),
    seenToday: latest > 0 && isSinceDayOf(latest, classroom),
    signalAt: Number.isFinite(first) ? seconds(first) : null,
    pausedUntil: maybe(here.paused),
  };
}

/** Whether `t` is not before the local day on which the lesson began. A row has no clock: the lesson's start is its today. */
function isSinceDayOf(t: number, { lessonAt, timezone }: Classroom): boolean {
  if (lessonAt === null || t >= lessonAt) return true;
  return localDay(t, timezone) === localDay(lessonAt, timezone);
}

function actedOf({ byCause }: StateOf<typeof acts>): Acted {
  return Object.fromEntries(
    byCause.map(([cause, { did, at, until }]) => [cause, { did, at: seconds(at), until: maybe(until) }]),
  );
}

const seconds = (ms: number) => Math.floor(ms / 1000);
const maybe = (ms: number | null) => (ms === null ? null : seconds(ms));
const binOf = ([added, removed, away, words, ms]: PulseBin): Bin => [
  added,
  removed,
  away,
  words,
  Math.round(ms / 1000),
];
