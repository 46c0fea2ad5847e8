const clocks = new Map<string, Intl.DateTimeFormat>();

/** "10:21" by the clock of the school; `ms` since 1970, `timezone` an IANA name. */
export function clockTime(ms: number, timezone: string): string {
  return formatterOf(timezone, false).format(ms);
}

/** "10:21:40". */
export function clockTimeToSecond(ms: number, timezone: string): string {
  return formatterOf(timezone, true).format(ms);
}

/** The midnight before `now` by the clock of the school, in ms; on the day of a change of clocks an hour off. */
export function startOfDay(now: number, timezone: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = clockTimeToSecond(now, timezone).split(':').map(Number);
  return now - ((hours % 24) * 3600 + minutes * 60 + seconds) * 1000 - (now % 1000);
}

/** "2:48" below an hour, then "1 h 05", from two days on "2 d". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, '0')}` : `${Math.floor(hours / 24)} d`;
}

function formatterOf(timezone: string, withSeconds: boolean): Intl.DateTimeFormat {
  const key = `${timezone}/${withSeconds}`;
  const known = clocks.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds ? { second: '2-digit' } : {}),
    timeZone: timezone,
  });
  clocks.set(key, made);
  return made;
}
