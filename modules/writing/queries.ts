import { z } from 'zod';
import { defineQuery } from '#modules/kit/index.ts';
import { type ClassRow, classRowOf } from './class-row.ts';
import { localDay } from './day.ts';
import { type StudentRow, studentRowOf } from './student-row.ts';

export type { Acted, Bin, ClassRow, Flag } from './class-row.ts';
export type { Quality } from './quality.ts';
export type { ShownPaste, StudentRow } from './student-row.ts';

const largePaste = z.number().int().min(20).max(100_000).default(200);

/** Where thresholds come from: quiet Holstein et al. 2018; paste the ArgLab fork of Learning Observer (Python); others ours. */
export const classDashboard = defineQuery({
  name: 'class-dashboard',
  title: 'Who is writing right now?',
  params: z.object({
    quietAfterSeconds: z.number().int().min(10).max(3600).default(120),
    queueQuietMinutes: z.number().min(1).max(120).default(5),
    notStartedAfterMinutes: z.number().min(0).max(120).default(3),
    signalGraceSeconds: z.number().int().min(5).max(3600).default(30),
    largePaste,
  }),
  row: ({ student, classroom, params, read }): Promise<ClassRow> =>
    classRowOf({ student, classroom, read }, params.largePaste),
  /** When the lesson began, in ms: as the teacher said, else with the class's first signal of the day. */
  frame: ({ classroom, rows }) => ({
    lessonAt: classroom.lessonAt ?? firstSignalOf(rows, classroom.timezone),
  }),
});

/** Of the latest local day on which anybody of the class was heard: a student who is away must not bring yesterday in. */
function firstSignalOf(rows: readonly ClassRow[], timezone: string): number | null {
  const signals = rows.flatMap(({ signalAt }) => (signalAt === null ? [] : [signalAt * 1000]));
  if (signals.length === 0) return null;
  const today = localDay(Math.max(...signals), timezone);
  return Math.min(...signals.filter((t) => localDay(t, timezone) === today));
}

export const student = defineQuery({
  name: 'student',
  title: 'How is this text coming along?',
  about: 'student',
  showsText: true,
  params: z.object({
    /** Empty: the document, and in it the tab, that was changed last. */
    doc: z.string().max(300).default(''),
    tab: z.string().max(300).default(''),
    largePaste,
  }),
  row: ({ student, params, read }): Promise<StudentRow> => studentRowOf(student, read, params),
});
