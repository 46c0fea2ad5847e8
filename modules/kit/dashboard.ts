import type { FrameOf, ParamsOf, Query, RowOf } from './query.ts';

/** Why a row or (under `*`) the whole channel is not what it should be. `since` in ms. */
export type Trouble = { readonly code: 'unavailable' | 'stopped' | 'delayed'; readonly since: number };

/** What a dashboard is given. */
export type DashboardProps<Q extends Query> = {
  /** A row per student, in roster order. */
  readonly rows: readonly RowOf<Q>[];
  readonly params: ParamsOf<Q>;
  /** The server's clock, in ms, ticking once a second; stands still while the connection is lost. */
  readonly now: number;
  readonly frame: FrameOf<Q>;
  readonly trouble: { readonly [student: string]: Trouble };
  /** False from the moment the connection is lost until all rows have come again. */
  readonly isLive: boolean;
  readonly classroom: { readonly id: string; readonly name: string; readonly timezone: string };
  /** Where a student's page lives, for links. */
  readonly studentHref: (student: string) => string;
};
