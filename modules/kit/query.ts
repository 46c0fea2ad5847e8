import type { z } from 'zod';
import type { Reducer, ReducerKey, StateOf } from './reducer.ts';
import type { Service } from './service.ts';

/** `own-pace` and `voice-typing` switch off some rules of the writing module. */
export type Accommodation = 'own-pace' | 'voice-typing';

export type Student = {
  readonly id: string;
  /** As the teacher reads it: preferred or given name and the family name's first letter. */
  readonly name: string;
  readonly accommodations?: readonly Accommodation[];
};

/** `lessonAt`: when the teacher said that the lesson starts, in ms; null while she has not. `timezone`: IANA name. */
export type Classroom = {
  readonly id: string;
  readonly name: string;
  readonly timezone: string;
  readonly lessonAt: number | null;
};

type RestOfKey<R> = Omit<ReducerKey<R>, 'student'>;

/** Reads one reducer's state for the row's own student. Absent state reads as `initial`. */
export type Read = <R extends Reducer>(
  reducer: R,
  ...rest: 'student' extends keyof ReducerKey<R>
    ? keyof RestOfKey<R> extends never
      ? []
      : [RestOfKey<R>]
    : [never]
) => Promise<StateOf<R>>;

/** Asks a service. Undefined until the answer is there; then the row runs again. */
export type Ask = <In, Out>(service: Service<In, Out>, input: In) => Promise<Out | undefined>;

type Params = z.ZodObject;

/** Describes one student's row; `title` is the teacher's question. */
export type Query<P extends Params | undefined = any, Row extends object = any, Frame = any> = {
  readonly name: string;
  readonly title: string;
  /** Typed settings; every field MUST have a default. */
  readonly params?: P;
  /** True when a row holds a student's words at length: one audit line per row opened; rows up to 64 KiB for a class, 1 MiB for one student. */
  readonly showsText?: boolean;
  /** `class` (default): drawn for a whole class. `student`: drawn for one student, on the student's page. */
  readonly about?: 'class' | 'student';
  /** Pure. MUST NOT read a clock: what depends on the time is decided by the dashboard from `now`. Fields flat where they change often. */
  readonly row: (context: {
    readonly student: Student;
    readonly classroom: Classroom;
    readonly params: P extends Params ? z.output<P> : undefined;
    readonly read: Read;
    readonly ask: Ask;
  }) => Promise<Row>;
  /** Values of the class as a whole, from its rows; sent whole when they change. Pure and cheap. */
  readonly frame?: (context: {
    readonly classroom: Classroom;
    readonly params: P extends Params ? z.output<P> : undefined;
    readonly rows: readonly Row[];
  }) => Frame;
};

export function defineQuery<Row extends object, P extends Params | undefined = undefined, Frame = null>(
  query: Query<P, Row, Frame>,
): Query<P, Row, Frame> {
  return query;
}

export type RowOf<Q> =
  Q extends Query<any, infer Row, any>
    ? Row & { readonly student: { readonly id: string; readonly name: string } }
    : never;
export type ParamsOf<Q> =
  Q extends Query<infer P, any, any> ? (P extends Params ? z.output<P> : undefined) : never;
export type FrameOf<Q> = Q extends Query<any, any, infer Frame> ? Frame : never;
