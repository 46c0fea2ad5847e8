/** Reducers know no time zone: a student's day is a run of signals with pauses under six hours. */
const NIGHT_MS = 6 * 60 * 60 * 1000;

/** When the day of the signal at `at` began. All in ms. */
export function firstOfDay(first: number | null, last: number | null, at: number): number {
  return first === null || last === null || at - last >= NIGHT_MS ? at : first;
}

/** Every zone's day begins at a quarter of an hour of universal time, and no quarter belongs to two days. */
const QUARTER_MS = 15 * 60_000;
const MOST_KNOWN = 1_000;
type Zone = { readonly format: Intl.DateTimeFormat; readonly known: Map<number, string> };
const zones = new Map<string, Zone>();

/**
 * The local date of `t` (ms), as one word to compare. Making a format costs more than a whole row, and formatting more than
 * the rest of one: both are kept.
 */
export function localDay(t: number, timezone: string): string {
  const { format, known } = zoneOf(timezone);
  const quarter = Math.floor(t / QUARTER_MS);
  const found = known.get(quarter);
  if (found !== undefined) return found;
  const day = format.format(t);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(quarter, day);
  return day;
}

function zoneOf(timezone: string): Zone {
  const zone = zones.get(timezone) ?? {
    format: new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' }),
    known: new Map(),
  };
  zones.set(timezone, zone);
  return zone;
}
