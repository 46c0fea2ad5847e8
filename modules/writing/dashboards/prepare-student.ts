import type { DashboardProps, RowOf } from '#modules/kit/index.ts';
import type { student } from '../queries.ts';
import { clockTime } from './clock.ts';
import { minutesOf } from './prepare.ts';

export type StudentDashboardProps = DashboardProps<typeof student>;
export type StudentRow = RowOf<typeof student>;
type Paste = StudentRow['pastes'][number];

/** "Fri 20 Nov" by the clock of the school. */
export function dayOf(ms: number, timezone: string): string {
  const format = { weekday: 'short', day: 'numeric', month: 'short', timeZone: timezone } as const;
  return new Intl.DateTimeFormat('en-GB', format).format(ms).replace(',', '');
}

/** What the growth curve draws: seconds of the row become ms. */
export function growthOf(row: StudentRow) {
  return {
    points: row.growth.map(([t, length, , , activeSeconds]) => ({ at: t * 1000, length, activeSeconds })),
    pastes: row.pastes.map(({ at, n }) => ({ at: at * 1000, n })),
    sessions: row.sessions.map(({ from, to }) => ({ from: from * 1000, to: to * 1000 })),
  };
}

/** "10:04–10:44", one time where a session is a moment. */
export function sessionWords(
  { from, to }: { readonly from: number; readonly to: number },
  timezone: string,
): readonly [day: string, times: string] {
  const [first, last] = [clockTime(from, timezone), clockTime(to, timezone)];
  return [dayOf(from, timezone), first === last ? first : `${first}–${last}`];
}

/** One point of the curve in words. */
export function pointWords(
  point: { readonly at: number; readonly length: number; readonly activeSeconds: number },
  timezone: string,
): string {
  const when = `${dayOf(point.at, timezone)}, ${clockTime(point.at, timezone)}`;
  return `${when} · ${point.length.toLocaleString('en')} characters · ${minutesOf(point.activeSeconds)} min active`;
}

const PASTE_WORDS: Readonly<Record<Paste['class'], string>> = {
  moved: 'moved own text',
  quote: 'in quotation marks',
  unkeyed: 'put in without keys',
  mixed: 'partly in the text before',
  new: 'not seen in the text before',
  voice: 'by voice or at an own pace',
};

/** What an insertion was, as a fact about the text. */
export const pasteWords = (paste: Paste): string => PASTE_WORDS[paste.class];

/** One number of a text: what it is called, its value, how it is counted. */
export type Figure = { readonly name: string; readonly value: string; readonly definition: string };

/** The numbers of a text, each with its definition. */
export function figuresOf(row: StudentRow): readonly Figure[] {
  const { typed, pasted, moved, deleted } = row.counts;
  const inserted = typed + pasted;
  const share = (part: number) => (inserted === 0 ? '—' : (part / inserted).toFixed(2));
  const number = (value: number) => value.toLocaleString('en');
  return [
    { name: 'Words', value: number(row.words), definition: 'runs with at least one letter or digit' },
    {
      name: 'Characters',
      value: number(row.length),
      definition: 'of the text as it is, parts not seen left out',
    },
    {
      name: 'Time on task',
      value: `${minutesOf(row.activeSeconds)} min`,
      definition: 'active minutes, pauses count up to 60 s',
    },
    {
      name: 'Sessions',
      value: number(row.sessions.length),
      definition: 'runs of changes with gaps under 30 min',
    },
    { name: 'Typed', value: number(typed), definition: 'characters, moved text left out' },
    { name: 'Pasted', value: number(pasted), definition: 'characters, moved text left out' },
    {
      name: 'Moved',
      value: number(moved),
      definition: 'characters taken from one place of the text to another',
    },
    {
      name: 'Deletion ratio',
      value: share(deleted),
      definition: 'characters deleted ÷ inserted, moved text in neither',
    },
  ];
}

/** The text before and after the cursor; a cursor in the part that was cut off stands at its beginning. */
export function aroundCursor({ text, cursor }: StudentRow): readonly [before: string, after: string] {
  const at = cursor ?? 0;
  return [text.slice(0, at), text.slice(at)];
}
