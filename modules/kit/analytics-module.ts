import type { EventSource } from './event-source.ts';
import type { Query } from './query.ts';
import type { Reducer } from './reducer.ts';
import type { Service } from './service.ts';

/** One folder of analytics. `name` MUST be the folder's name; each query is drawn by `dashboards/<query name>.tsx`. */
export type AnalyticsModule = {
  readonly name: string;
  readonly title: string;
  readonly sources?: readonly EventSource[];
  readonly reducers?: readonly Reducer[];
  readonly queries?: readonly Query[];
  readonly services?: readonly Service[];
};

export function defineModule<const M extends AnalyticsModule>(module: M): M {
  return module;
}
