import type { DashboardProps, ParamsOf, RowOf, Trouble } from '#modules/kit/index.ts';
import type { classDashboard } from '../queries.ts';

export type { Bin } from '../queries.ts';
export type ClassDashboardProps = DashboardProps<typeof classDashboard>;
export type ClassRow = RowOf<typeof classDashboard>;
export type ClassParams = ParamsOf<typeof classDashboard>;

/**
 * What a state word depends on beside the row, in ms: the server's clock, the lesson's start, the beginning of the
 * school's day (0: any signal counts as today's), and the row's trouble.
 */
export type Moment = {
  readonly now: number;
  readonly lessonAt: number | null;
  readonly dayStartsAt?: number;
  readonly trouble?: Trouble | undefined;
};
