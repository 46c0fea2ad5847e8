import type { Bin, ClassParams, ClassRow } from './class-row.ts';
import type { StudentRow } from './prepare-student.ts';

export const NOW = Date.UTC(2026, 10, 20, 10, 21, 40);
const SECOND = NOW / 1000;
export const ago = (seconds: number) => SECOND - seconds;

export const PARAMS: ClassParams = {
  signalGraceSeconds: 30,
  notStartedAfterMinutes: 3,
  quietAfterSeconds: 120,
  queueQuietMinutes: 5,
  largePaste: 200,
};

/** A row of somebody who is writing well, with what a test wants different. */
export function rowOf(different: Partial<ClassRow> = {}): ClassRow {
  return {
    student: { id: 'ada', name: 'Ada L.' },
    doc: 'd1',
    title: 'A place worth keeping',
    words: 214,
    before: '…the moon was bright and the ',
    after: '',
    activeSeconds: 740,
    wroteAt: ago(5),
    insAt: ago(5),
    startedAt: ago(1200),
    focused: true,
    open: 1,
    lostAt: null,
    seenToday: true,
    signalAt: ago(1200),
    pausedUntil: null,
    bins: '',
    bin: [200, 10, 0, 35, 200],
    binAt: Math.floor(SECOND / 30) * 30,
    cycles: [],
    flags: [],
    quality: [],
    ownPace: false,
    acted: {},
    ...different,
  };
}

/** A class of `count` students whose words differ, the same on every run. */
export function classOf(count: number): readonly ClassRow[] {
  return Array.from({ length: count }, (_, i) => {
    const id = `s${String(i).padStart(2, '0')}`;
    return rowOf({
      student: { id, name: `${NAMES[i % NAMES.length]} ${LETTERS[i % 26]}.` },
      words: 40 + ((i * 97) % 400),
      ...VARIETY[i % VARIETY.length],
    });
  });
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const NAMES = [
  'Ada',
  'Amara',
  'Aram',
  'Bea',
  'Chidi',
  'Dmitri',
  'Elin',
  'Farid',
  'Grace',
  'Hana',
  'Ibrahim',
  'Ines',
  'Jonah',
  'Kavya',
  'Leila',
  'Liam',
  'Lucía',
  'Malik',
  'Mei-Ling',
  'Mirek',
  'Nadia',
  'Noor',
];
/** Closed half minutes as a row has them. */
export function textOf(bins: readonly Bin[]): string {
  return bins.map((bin) => bin.join(' ')).join(';');
}

const BUSY = Array.from(
  { length: 29 },
  (_, i) => [(i * 37) % 90, (i * 13) % 30, 0, (i * 5) % 12, 20] as const,
);
const VARIETY: readonly Partial<ClassRow>[] = [
  {
    bins: textOf(BUSY),
    before: 'when the river is low you can walk to the island, and on the island there is a hut with no ',
  },
  {
    bins: textOf(BUSY),
    bin: [20, 18, 0, 1, 150],
    before: 'but I think the market is loud the way a kitchen is loud when ',
    after: 'everyone is cooking and',
    cycles: [
      [ago(200), 40],
      [ago(120), 60],
      [ago(60), 52],
    ],
  },
  {
    bins: textOf(BUSY),
    before: 'the baker puts the boards outside and the whole street smells of ',
    after: 'bread, even the bus stop',
  },
  {
    bins: textOf(BUSY),
    bin: [0, 0, 0, 0, 0],
    wroteAt: ago(168),
    insAt: ago(168),
    before: 'summer. I learned to swim there and so did my brother, who is now a ',
  },
  {
    bins: textOf(BUSY.map(([a, r]) => [r, a, 0, 0, 20] as const)),
    bin: [40, 150, 30, -2, 200],
    wroteAt: ago(75),
    before: 'is only for books. In ours you can borrow a drill, a cake tin or ',
    after: 'a football for a week',
  },
  {
    bins: textOf(BUSY),
    before: 'is green and it shakes when a train goes over it, but from there you can see the whole ',
  },
  {
    bins: textOf(BUSY),
    bin: [0, 0, 0, 0, 0],
    wroteAt: ago(402),
    insAt: ago(402),
    focused: false,
    before: 'the workshop behind my uncle’s house because it is the only place ',
    after: 'where nobody asks me what',
  },
  {
    bins: textOf(BUSY),
    quality: ['parts-not-seen'],
    before: 'describe the square in the morning, then explain why the fountain ',
    after: 'matters to the people',
  },
  {
    bins: textOf(BUSY.slice(0, 15)),
    bin: [0, 0, 0, 0, 0],
    open: 0,
    lostAt: ago(260),
    wroteAt: ago(280),
    before: 'a field behind the school that floods every spring. The frogs come ',
    after: 'back and so do we',
  },
  {
    words: 0,
    before: '',
    after: '',
    doc: null,
    title: null,
    startedAt: null,
    wroteAt: null,
    insAt: null,
    activeSeconds: 0,
    bin: [0, 0, 0, 0, 0],
    bins: '',
  },
];

const DAY = 86_400;
const SESSIONS = [
  { day: 3, minutes: 40, from: 0, to: 612 },
  { day: 1, minutes: 28, from: 612, to: 1108 },
  { day: 0, minutes: 18, from: 1108, to: 1290 },
];

/** A text of three sessions with three pastes, with what a test wants different. */
export function studentRowOf(different: Partial<StudentRow> = {}): StudentRow {
  const growth = SESSIONS.flatMap(({ day, minutes, from, to }, session) =>
    Array.from({ length: minutes * 2 + 1 }, (_, i) => {
      const length = Math.round(from + ((to - from) * i) / (minutes * 2) + Math.sin(i / 3) * 12);
      const active = SESSIONS.slice(0, session).reduce((sum, s) => sum + s.minutes * 50, 0) + i * 25;
      return [
        ago(day * DAY + minutes * 60 - i * 30),
        Math.max(0, length),
        length,
        length + 40,
        active,
      ] as const;
    }),
  );
  return {
    student: { id: 'amara', name: 'Amara O.' },
    documents: [
      { doc: 'd1', title: 'A place worth keeping', lastAt: ago(20) },
      { doc: 'd2', title: 'My summer', lastAt: ago(9 * DAY) },
    ],
    doc: 'd1',
    title: 'A place worth keeping',
    tab: null,
    tabs: [],
    text: ESSAY,
    isCut: false,
    cursor: ESSAY.indexOf(' everyone'),
    words: 236,
    length: 1290,
    activeSeconds: 3660,
    activity: {},
    growth,
    marks: [],
    sessions: SESSIONS.map(({ day, minutes }) => ({
      from: ago(day * DAY + minutes * 60),
      to: ago(day * DAY),
    })),
    pastes: [
      { at: ago(3 * DAY + 1400), pos: 200, n: 64, class: 'moved', novelty: 0, sure: true, isLarge: false },
      { at: ago(DAY + 1000), pos: 300, n: 186, class: 'quote', novelty: 1, sure: true, isLarge: false },
      { at: ago(700), pos: 900, n: 96, class: 'new', novelty: 0.94, sure: false, isLarge: false },
    ],
    pasteCount: 3,
    counts: { typed: 1149, pasted: 282, moved: 64, deleted: 141 },
    quality: [],
    ownPace: false,
    ...different,
  };
}

const ESSAY = [
  'The market in our street opens at six, before the buses. I know this because my grandmother has had a stall there since before my mother was born, and on Saturdays I help her to carry the crates.',
  'Most people who come through say that it is loud. “A town is the sound of people who need each other,” it says on the wall above the fish hall, and I did not understand that for a long time.',
  'My grandmother says the market is loud, but I think it is loud the way a kitchen is when everyone is cooking and nobody wants to be the first to sit down.',
].join('\n\n');
