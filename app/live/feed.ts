import type { Trouble } from '#modules/kit/index.ts';
import type { Delta, Json, NotOpened, Opened, Row } from '#server/live/protocol.ts';
import { applyDelta } from './apply-delta.ts';

/**
 * What one dashboard has heard. `opening`: nothing yet · `live` · `lost`: rows of before, until all have come again ·
 * `ended`: the server said no, and no row is kept.
 */
export type Feed = {
  readonly phase: 'opening' | 'live' | 'lost' | 'ended';
  readonly channel: string | null;
  readonly n: number;
  readonly rows: readonly Row[];
  readonly frame: Json | null;
  readonly params: { readonly [name: string]: Json };
  readonly trouble: { readonly [student: string]: Trouble };
  /** Server clock of the last message, ms. */
  readonly at: number;
  /** Server clock − this clock, ms, by the last message. */
  readonly offset: number;
  /** This clock, when the connection was lost. */
  readonly lostAt: number;
  /** Why the server said no; kept while a later try is under way. */
  readonly end: { readonly code: NotOpened['code']; readonly message: string } | null;
};

/** `now`: this clock on arrival, ms. */
export type FeedAction =
  | { readonly type: 'opened'; readonly opened: Opened; readonly now: number }
  | { readonly type: 'rows'; readonly delta: Delta; readonly now: number }
  | { readonly type: 'lost'; readonly now: number }
  | { readonly type: 'ended'; readonly code: NotOpened['code']; readonly message: string };

export const NOTHING_YET: Feed = {
  phase: 'opening',
  channel: null,
  n: 0,
  rows: [],
  frame: null,
  params: {},
  trouble: {},
  at: 0,
  offset: 0,
  lostAt: 0,
  end: null,
};

/** One step of a feed. A delta that does not follow the last one makes it `lost`: then it must be opened again. */
export function reduceFeed(feed: Feed, action: FeedAction): Feed {
  switch (action.type) {
    case 'opened':
      return open(action.opened, action.now);
    case 'rows':
      return take(feed, action.delta, action.now);
    case 'lost':
      return feed.phase === 'live' ? { ...feed, phase: 'lost', lostAt: action.now } : feed;
    case 'ended':
      return { ...NOTHING_YET, phase: 'ended', end: { code: action.code, message: action.message } };
  }
}

function open({ channel, n, at, rows, params, trouble, frame = null }: Opened, now: number): Feed {
  return { ...NOTHING_YET, phase: 'live', channel, n, at, offset: at - now, rows, params, trouble, frame };
}

function take(feed: Feed, delta: Delta, now: number): Feed {
  if (feed.phase !== 'live' || feed.channel !== delta.channel) return feed;
  if (delta.n !== feed.n + 1) return { ...feed, phase: 'lost', lostAt: now };
  return {
    ...feed,
    n: delta.n,
    at: delta.at,
    offset: delta.at - now,
    rows: delta.set || delta.unset || delta.gone || delta.order ? applyDelta(feed.rows, delta) : feed.rows,
    trouble: delta.trouble ? changeTrouble(feed.trouble, delta.trouble) : feed.trouble,
    ...(delta.frame === undefined ? {} : { frame: delta.frame }),
  };
}

function changeTrouble(
  trouble: Feed['trouble'],
  changes: { readonly [student: string]: Trouble | null },
): Feed['trouble'] {
  const next: Record<string, Trouble> = { ...trouble };
  for (const [student, change] of Object.entries(changes)) {
    if (change) next[student] = change;
    else delete next[student];
  }
  return next;
}

/** The server's clock, ms, for a dashboard that draws at `tick` of this clock; stands still while the feed is not live. */
export function serverNow(feed: Feed, tick: number): number {
  const here = feed.phase === 'live' ? tick : feed.lostAt;
  return Math.max(feed.at, here + feed.offset);
}
