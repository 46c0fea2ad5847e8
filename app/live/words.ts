import type { Trouble } from '#modules/kit/index.ts';
import type { NotOpened, Row } from '#server/live/protocol.ts';

export type Words = { readonly fact: string; readonly rest: string };

const ENDS: Readonly<Record<string, Words>> = {
  'not-found': {
    fact: 'There is nothing here to show.',
    rest: 'It does not exist, or you may not look at it.',
  },
  unauthenticated: { fact: 'You are signed out.', rest: 'Sign in again to go on.' },
  unavailable: { fact: 'Not ready just now.', rest: 'This page tries again by itself.' },
  limited: { fact: 'Too many views are open.', rest: 'Close some; this page tries again by itself.' },
};

/** Why a dashboard shows no rows. `message` is the server's, and names the field that is wrong. */
export function endWords({ code, message }: Pick<NotOpened, 'code' | 'message'>): Words {
  if (code === 'invalid')
    return { fact: 'A setting in the address is wrong.', rest: `The server says: ${message}.` };
  return ENDS[code] ?? { fact: 'Something went wrong here.', rest: 'This page tries again by itself.' };
}

/** `at`: server clock, ms. */
export function lostWords(at: number, timezone: string): Words {
  return {
    fact: 'Connection lost.',
    rest: `What you see is from ${timeOfDay(at, timezone)}. This page connects again by itself.`,
  };
}

export function timeOfDay(at: number, timezone: string): string {
  const format = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  return new Intl.DateTimeFormat('en-GB', { ...format, timeZone: timezone }).format(at);
}

/** What holds for the channel as a whole; null when nothing does. */
export function channelWords(trouble: Trouble | undefined, now: number): Words | null {
  if (!trouble) return null;
  if (trouble.code === 'delayed')
    return {
      fact: `Delayed by ${Math.max(0, Math.round((now - trouble.since) / 1000))} s.`,
      rest: 'The server is busy; what you see catches up by itself.',
    };
  return { fact: 'The numbers of the whole class cannot be worked out now.', rest: 'The rows are right.' };
}

/** Rows that can be drawn, and the students of whom nothing is known but that they are there. */
export function splitRows(rows: readonly Row[]): {
  readonly drawn: readonly Row[];
  readonly bare: readonly Row[];
} {
  const bare = rows.filter((row) => Object.keys(row).length === 1);
  return bare.length === 0
    ? { drawn: rows, bare }
    : { drawn: rows.filter((row) => !bare.includes(row)), bare };
}

export function bareWords(bare: readonly Row[]): Words | null {
  if (bare.length === 0) return null;
  const names = bare.map(({ student }) => student.name).join(', ');
  return { fact: `No analysis yet of ${names}.`, rest: 'The others are shown as usual.' };
}
