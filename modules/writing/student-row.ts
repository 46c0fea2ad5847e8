import { type Read, type StateOf, type Student, text } from '#modules/kit/index.ts';
import { isAtOwnPace } from './class-row.ts';
import { lttb } from './lttb.ts';
import { type Quality, qualityOf } from './quality.ts';
import { readable } from './readable.ts';
import { captureGaps } from './reducers/capture-gaps.ts';
import { documentText, sheetOf } from './reducers/document-text.ts';
import { documents } from './reducers/documents.ts';
import { type GrowthMark, type GrowthPoint, growth, pointsOf, sessionsOf } from './reducers/growth.ts';
import { isLargePaste, type PasteClass, pastes } from './reducers/pastes.ts';
import { presence } from './reducers/presence.ts';
import { binsOnTask, secondsOnTask, timeOnTask } from './reducers/time-on-task.ts';

/** A row carries the end of a very long text: rows about one student may have 1 MiB, and three-byte characters are not rare. */
const TEXT_CHARACTERS = 600_000;
const TEXT_BYTES = 900_000;
const POINTS = 300;
const DOCUMENTS = 50;

/** Times in whole seconds since 1970. */
export type StudentRow = {
  /** Latest first, 50 at most. */
  readonly documents: readonly {
    readonly doc: string;
    readonly title: string | null;
    readonly lastAt: number;
  }[];
  readonly doc: string | null;
  readonly title: string | null;
  readonly tab: string | null;
  readonly tabs: readonly string[];
  /** The readable text or, of a long one, its end; `isCut` says so. Each run of characters not seen is one `…`. */
  readonly text: string;
  readonly isCut: boolean;
  /** Where in `text` the cursor stands; null when it stands in the part that was cut off. */
  readonly cursor: number | null;
  readonly words: number;
  /** In characters, without the parts not seen. */
  readonly length: number;
  readonly activeSeconds: number;
  /** Active seconds per ten minutes, by their start. */
  readonly activity: { readonly [start: number]: number };
  readonly growth: readonly GrowthPoint[];
  readonly marks: readonly GrowthMark[];
  /** Runs of events with pauses under 30 minutes, oldest first. */
  readonly sessions: readonly { readonly from: number; readonly to: number }[];
  readonly pastes: readonly ShownPaste[];
  readonly pasteCount: number;
  /** In characters. `moved` is in none of the others. */
  readonly counts: {
    readonly typed: number;
    readonly pasted: number;
    readonly moved: number;
    readonly deleted: number;
  };
  readonly quality: readonly Quality[];
  readonly ownPace: boolean;
};

export type ShownPaste = {
  readonly at: number;
  readonly pos: number;
  readonly n: number;
  /** `voice`: of a student who writes by voice or at their own pace. */
  readonly class: PasteClass | 'voice';
  readonly novelty: number;
  readonly sure: boolean;
  readonly isLarge: boolean;
};

type Chosen = { readonly doc: string; readonly tab: string; readonly largePaste: number };

/** @param chosen an empty `doc` or `tab` chooses the one that was changed last. */
export async function studentRowOf(student: Student, read: Read, chosen: Chosen): Promise<StudentRow> {
  const about = await read(documents);
  const doc = chosen.doc === '' ? about.last : chosen.doc;
  const listed = listOf(about);
  const ownPace = isAtOwnPace(student);
  if (doc === null) return { ...NOTHING, documents: listed, ownPace };
  const [sheet, shown] = await Promise.all([
    writtenOf(read, doc, chosen.tab),
    progressOf(read, doc, ownPace, chosen.largePaste),
  ]);
  return { ...sheet, ...shown, documents: listed, doc, title: about.docs[doc]?.title ?? null, ownPace };
}

const NOTHING: StudentRow = {
  documents: [],
  doc: null,
  title: null,
  tab: null,
  tabs: [],
  text: '',
  isCut: false,
  cursor: null,
  words: 0,
  length: 0,
  activeSeconds: 0,
  activity: {},
  growth: [],
  marks: [],
  sessions: [],
  pastes: [],
  pasteCount: 0,
  counts: { typed: 0, pasted: 0, moved: 0, deleted: 0 },
  quality: [],
  ownPace: false,
};

function listOf({ docs }: StateOf<typeof documents>): StudentRow['documents'] {
  return Object.entries(docs)
    .map(([doc, { title, last }]) => ({ doc, title, lastAt: seconds(last) }))
    .sort((a, b) => b.lastAt - a.lastAt)
    .slice(0, DOCUMENTS);
}

async function writtenOf(read: Read, doc: string, tab: string) {
  const written = await read(documentText, { doc });
  const sheet = sheetOf(written, tab === '' ? undefined : tab);
  const tabs = Object.keys(written.sheets);
  return {
    tab: tabs.length === 0 ? null : tab === '' ? written.tab : tab,
    tabs,
    ...endOf(sheet),
    words: sheet.words,
    length: text.length(sheet.text) - sheet.unknown,
    quality: qualityOf(sheet, await read(presence), await read(captureGaps)),
  };
}

/** The end of a text that fits a row, and the cursor in it. */
export function endOf(sheet: Pick<ReturnType<typeof sheetOf>, 'text' | 'cursor'>) {
  const length = text.length(sheet.text);
  let from = Math.max(0, length - TEXT_CHARACTERS);
  let piece = text.slice(sheet.text, from);
  while (bytesOf(piece) > TEXT_BYTES) {
    const cut = Math.ceil(piece.length / 8);
    from += cut;
    piece = piece.slice(cut);
  }
  if (/^[\uDC00-\uDFFF]/.test(piece)) {
    from += 1;
    piece = piece.slice(1);
  }
  const before = sheet.cursor < from ? null : readable(piece.slice(0, sheet.cursor - from));
  return { text: readable(piece), isCut: from > 0, cursor: before === null ? null : before.length };
}

/** Bytes of a text in JSON, as UTF-8, at most. */
function bytesOf(piece: string): number {
  let bytes = piece.length;
  for (let i = 0; i < piece.length; i += 1) {
    const unit = piece.charCodeAt(i);
    if (unit > 0x7ff) bytes += 2;
    else if (unit > 0x7f || unit === 0x22 || unit === 0x5c || unit < 0x20) bytes += 1;
  }
  return bytes;
}

async function progressOf(read: Read, doc: string, ownPace: boolean, largePaste: number) {
  const [time, grown, pasted] = await Promise.all([
    read(timeOnTask, { doc }),
    read(growth, { doc }),
    read(pastes, { doc }),
  ]);
  const points = pointsOf(grown);
  const { typed, moved, deleted } = pasted;
  return {
    activeSeconds: Math.round(secondsOnTask(time)),
    activity: binsOnTask(time),
    growth: lttb(
      points,
      POINTS,
      ([t]) => t,
      ([, length]) => length,
    ).map(inSeconds),
    marks: grown.marks.map(([t, length, kind]) => [seconds(t), length, kind] as const),
    sessions: sessionsOf(grown).map(([from, to]) => ({ from: seconds(from), to: seconds(to) })),
    pastes: pasted.list.map(
      ({ t, pos, n, novelty, sure, ...paste }): ShownPaste => ({
        at: seconds(t),
        pos,
        n,
        class: ownPace ? 'voice' : paste.class,
        novelty,
        sure,
        isLarge: !ownPace && isLargePaste({ t, pos, n, novelty, sure, ...paste }, largePaste),
      }),
    ),
    pasteCount: pasted.count,
    counts: { typed, pasted: pasted.pasted, moved, deleted },
  };
}

const seconds = (ms: number) => Math.floor(ms / 1000);
const inSeconds = ([t, length, cursor, produced, activeMs]: GrowthPoint): GrowthPoint => [
  seconds(t),
  length,
  cursor,
  produced,
  seconds(activeMs),
];
