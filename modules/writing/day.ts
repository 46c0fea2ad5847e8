/** Reducers know no time zone: a student's day is a run of signals with pauses under six hours. */
const NIGHT_MS = 6 * 60 * 60 * 1000;

/** When the day of the signal at `at` began. All in ms. */
export function firstOfDay(first: number | null, last: number | null, at: number): number {
  return first === null || last === null || at - last >= NIGHT_MS ? at : first;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local date of `t` (ms), as one word to compare. Making a format costs more than a whole row: it is kept. */
export function localDay(t: number, timezone: string): string {
  const format =
    formats.get(timezone) ?? new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' });
  formats.set(timezone, format);
  return format.format(t);
}
