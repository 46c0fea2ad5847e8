import { binsAt, slotOf, sumOf } from './bins.ts';
import type { ClassParams, ClassRow, Moment } from './class-row.ts';

export type Word =
  | 'writing'
  | 'quiet'
  | 'revising'
  | 'not started'
  | 'needs a look'
  | 'no signal'
  | 'no analysis';

/** Why a student is named in *Needs me*. */
export type Cause = 'stalled' | 'circling' | 'waiting' | 'long quiet' | 'not started';

/**
 * `since`: ms, from when what the word says holds, null if unknown. `cause`: set while the student belongs into the
 * queue. `note`: what the chip or the card says beyond the word.
 */
export type State = {
  readonly word: Word;
  readonly since: number | null;
  readonly cause: Cause | null;
  readonly note: 'not seen today' | 'paused' | null;
};

const STALLED = { activeSeconds: 60, netWords: 5, characters: 50 };
const CIRCLING = { characters: 100, seconds: 300, settled: 20 };
const WAITING_SECONDS = 320;
const REVISING = { characters: 20, share: 0.6 };
const WINDOW_BINS = 10;

/**
 * The word for what a student does, by the rules of the writing module in their order; the first that holds wins.
 * Pure: the same row, params and moment give the same word. Thresholds that are not params are ours, to be validated.
 */
export function stateOf(row: ClassRow, params: ClassParams, moment: Moment): State {
  return (
    withoutAnalysis(moment) ??
    withoutSignal(row, params, moment) ??
    notStarted(row, params, moment) ??
    needsALook(row, moment.now) ??
    quiet(row, params, moment.now) ??
    atWork(row, moment.now)
  );
}

const plain = (word: Word, since: number | null = null): State => ({ word, since, cause: null, note: null });

function withoutAnalysis({ trouble }: Moment): State | null {
  if (!trouble || trouble.code === 'delayed') return null;
  return plain('no analysis', trouble.since);
}

function withoutSignal(row: ClassRow, params: ClassParams, moment: Moment): State | null {
  const { now } = moment;
  if (row.pausedUntil !== null && row.pausedUntil * 1000 > now) {
    return { ...plain('no signal'), note: 'paused' };
  }
  if (!isSeenToday(row, moment)) return { ...plain('no signal'), note: 'not seen today' };
  if (row.open > 0 || row.lostAt === null) return null;
  const lostAt = row.lostAt * 1000;
  return now - lostAt > params.signalGraceSeconds * 1000 ? plain('no signal', lostAt) : null;
}

/** A row has no clock: while no lesson is set it says *seen* of somebody who was here on any day. */
function isSeenToday(row: ClassRow, { dayStartsAt = 0 }: Moment): boolean {
  const latest = Math.max(row.signalAt ?? 0, row.wroteAt ?? 0, row.lostAt ?? 0);
  return row.seenToday && (row.open > 0 || latest * 1000 >= dayStartsAt);
}

function notStarted(row: ClassRow, params: ClassParams, { now, lessonAt }: Moment): State | null {
  if (row.startedAt !== null) return null;
  const isDue = lessonAt !== null && now - lessonAt >= params.notStartedAfterMinutes * 60_000;
  return { ...plain('not started', lessonAt), cause: isDue ? 'not started' : null };
}

function needsALook(row: ClassRow, now: number): State | null {
  const look = (cause: Cause, since: number): State => ({ ...plain('needs a look', since), cause });
  if (!row.ownPace && isStalled(row, now)) return look('stalled', now - 300_000);
  const third = thirdCycle(row, now);
  if (third !== null) return look('circling', third);
  const inserted = row.insAt ?? row.startedAt;
  if (row.ownPace || !row.focused || inserted === null) return null;
  return now - inserted * 1000 >= WAITING_SECONDS * 1000 ? look('waiting', inserted * 1000) : null;
}

function isStalled(row: ClassRow, now: number): boolean {
  const [added, removed, , netWords, active] = lastFiveMinutes(row, now);
  return (
    active >= STALLED.activeSeconds && netWords <= STALLED.netWords && added + removed < STALLED.characters
  );
}

/** When, in ms, a third delete-and-retype at one place happened that holds now; null if none does. */
function thirdCycle(row: ClassRow, now: number): number | null {
  const newest = now / 1000 - CIRCLING.settled;
  const oldest = now / 1000 - CIRCLING.seconds;
  for (const [at, place] of row.cycles.toReversed()) {
    if (at > newest || at < oldest) continue;
    const near = row.cycles.filter(([t, pos]) => {
      return t <= at && t >= at - CIRCLING.seconds && Math.abs(pos - place) <= CIRCLING.characters;
    });
    if (
      hasThreeTogether(
        near.map(([, pos]) => pos),
        place,
      )
    )
      return at * 1000;
  }
  return null;
}

/** Whether three places, `place` among them, lie within the span of one spot. */
function hasThreeTogether(places: readonly number[], place: number): boolean {
  return places.some((low) => {
    const inSpan = places.filter((pos) => pos >= low && pos <= low + CIRCLING.characters);
    return inSpan.length >= 3 && place >= low && place <= low + CIRCLING.characters;
  });
}

function quiet(row: ClassRow, params: ClassParams, now: number): State | null {
  const last = row.wroteAt ?? row.startedAt;
  if (last === null || now - last * 1000 < params.quietAfterSeconds * 1000) return null;
  const isLong = now - last * 1000 >= params.queueQuietMinutes * 60_000;
  return { ...plain('quiet', last * 1000), cause: isLong ? 'long quiet' : null };
}

function atWork(row: ClassRow, now: number): State {
  const [added, removed, away] = lastFiveMinutes(row, now);
  const changed = added + removed;
  const isRevising = changed >= REVISING.characters && (removed + away) / changed >= REVISING.share;
  return plain(isRevising ? 'revising' : 'writing');
}

const lastFiveMinutes = (row: ClassRow, now: number) => sumOf(binsAt(row, slotOf(now), WINDOW_BINS));
