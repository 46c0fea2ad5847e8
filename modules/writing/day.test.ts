import { expect, test } from 'vitest';
import { localDay } from './day.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
];
const MINUTE = 60_000;

test('a local day is what the calendar of the zone says, minute by minute around every change of it', () => {
  for (const timeZone of ZONES) {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
    for (const [month, day] of [
      [2, 28],
      [3, 4],
      [9, 24],
      [10, 29],
    ] as const) {
      const from = Date.UTC(2026, month, day);
      for (let t = from; t < from + 26 * 60 * MINUTE; t += 7 * MINUTE)
        expect(localDay(t, timeZone), `${timeZone} ${t}`).toBe(format.format(t));
    }
  }
});
