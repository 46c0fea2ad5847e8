import type { ClassParams, ClassRow } from './class-row.ts';

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
    bins: [],
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
const BUSY = Array.from(
  { length: 29 },
  (_, i) => [(i * 37) % 90, (i * 13) % 30, 0, (i * 5) % 12, 20] as const,
);
const VARIETY: readonly Partial<ClassRow>[] = [
  {
    bins: BUSY,
    before: 'when the river is low you can walk to the island, and on the island there is a hut with no ',
  },
  {
    bins: BUSY,
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
    bins: BUSY,
    before: 'the baker puts the boards outside and the whole street smells of ',
    after: 'bread, even the bus stop',
  },
  {
    bins: BUSY,
    bin: [0, 0, 0, 0, 0],
    wroteAt: ago(168),
    insAt: ago(168),
    before: 'summer. I learned to swim there and so did my brother, who is now a ',
  },
  {
    bins: BUSY.map(([a, r]) => [r, a, 0, 0, 20] as const),
    bin: [40, 150, 30, -2, 200],
    wroteAt: ago(75),
    before: 'is only for books. In ours you can borrow a drill, a cake tin or ',
    after: 'a football for a week',
  },
  {
    bins: BUSY,
    before: 'is green and it shakes when a train goes over it, but from there you can see the whole ',
  },
  {
    bins: BUSY,
    bin: [0, 0, 0, 0, 0],
    wroteAt: ago(402),
    insAt: ago(402),
    focused: false,
    before: 'the workshop behind my uncle’s house because it is the only place ',
    after: 'where nobody asks me what',
  },
  {
    bins: BUSY,
    quality: ['parts-not-seen'],
    before: 'describe the square in the morning, then explain why the fountain ',
    after: 'matters to the people',
  },
  {
    bins: BUSY.slice(0, 15),
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
    bins: [],
  },
];
