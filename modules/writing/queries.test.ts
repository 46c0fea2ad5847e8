import { expect, test } from 'vitest';
import { type Accommodation, client, connection, type Envelope, queue } from '#modules/kit/index.ts';
import { event, frameOf, rowsOf, student as someone } from '#modules/kit/testing.ts';
import { binsAt } from './dashboards/bins.ts';
import { classDashboard, student } from './queries.ts';
import { acts } from './reducers/acts.ts';
import { captureGaps } from './reducers/capture-gaps.ts';
import { documentText } from './reducers/document-text.ts';
import { documents } from './reducers/documents.ts';
import { growth } from './reducers/growth.ts';
import { pastes } from './reducers/pastes.ts';
import { presence } from './reducers/presence.ts';
import { pulse } from './reducers/pulse.ts';
import { timeOnTask } from './reducers/time-on-task.ts';
import { writer } from './writer.testing.ts';

const reducers = [acts, captureGaps, documentText, documents, growth, pastes, presence, pulse, timeOnTask];
const START = Date.UTC(2026, 10, 20, 10, 0, 0);
const SECOND = START / 1000;
const inTime = (...lists: (readonly Envelope[])[]) => lists.flat().sort((a, b) => a.at - b.at);

async function classRow(
  events: readonly Envelope[],
  more: { own?: Accommodation[]; lessonAt?: number } = {},
) {
  const classroom = { id: 'c', name: 'C', timezone: 'Europe/Berlin', lessonAt: more.lessonAt ?? null };
  const [row] = await rowsOf(classDashboard, [someone('ada', more.own)], events, { reducers, classroom });
  if (!row) throw new Error('no row');
  return row;
}

async function studentRow(events: readonly Envelope[], params = {}, own: Accommodation[] = []) {
  const [row] = await rowsOf(student, [someone('ada', own)], events, { reducers, params });
  if (!row) throw new Error('no row');
  return row;
}

const connected = (at: number) =>
  event(connection, 'connected', {
    student: 'ada',
    at,
    connection: 'c1',
    edge: 'socket',
    identity: 'claimed',
  });

test('nobody has a row of nothing', async () => {
  expect(await classRow([])).toEqual({
    student: { id: 'ada', name: 'ada' },
    doc: null,
    title: null,
    words: 0,
    before: '',
    after: '',
    activeSeconds: 0,
    wroteAt: null,
    insAt: null,
    startedAt: null,
    focused: false,
    open: 0,
    lostAt: null,
    seenToday: false,
    signalAt: null,
    pausedUntil: null,
    bins: '',
    bin: [0, 0, 0, 0, 0],
    binAt: 0,
    cycles: [],
    flags: [],
    quality: [],
    ownPace: false,
    acted: {},
  });
});

test('a row of the class tells what somebody writes, and when, in seconds', async () => {
  const ada = writer()
    .open(START, 'The boat')
    .ins(START, 0, 'The boat sank. ')
    .ins(START + 12_400, 4, 'old ');
  const row = await classRow(inTime([connected(START - 1500)], ada.events));
  expect(row).toMatchObject({
    doc: 'd1',
    title: 'The boat',
    words: 4,
    before: 'The old ',
    after: 'boat sank. ',
    activeSeconds: 12,
    wroteAt: SECOND + 12,
    insAt: SECOND + 12,
    startedAt: SECOND,
    focused: true,
    open: 1,
    seenToday: true,
    signalAt: SECOND - 2,
    bin: [19, 0, 4, 4, 12],
    binAt: SECOND,
    quality: ['identity-not-verified'],
  });
});

test('closed half minutes stand in a row as text, and are read as they were written', async () => {
  const ada = writer()
    .ins(START, 0, 'The boat sank. ')
    .ins(START + 31_000, 15, 'It was old. ')
    .del(START + 65_000, 0, 4);
  const row = await classRow(ada.events);
  expect(row).toMatchObject({ bins: '15 0 0 3 30;12 0 0 3 30', bin: [0, 4, 0, -1, 5], binAt: SECOND + 60 });
  expect(binsAt(row, SECOND / 30 + 2, 4)).toEqual([
    [0, 0, 0, 0, 0],
    [15, 0, 0, 3, 30],
    [12, 0, 0, 3, 30],
    [0, 4, 0, -1, 5],
  ]);
});

test('an excerpt shows a part not seen as one mark', async () => {
  const row = await classRow(writer().ins(START, 6, 'end').events);
  expect(row).toMatchObject({ before: '…end', quality: ['parts-not-seen'] });
});

test('in a long text only what stands around the cursor is shown', async () => {
  const words = Array.from({ length: 4000 }, (_, i) => `word${String(i).padStart(4, '0')}`).join(' ');
  const row = await classRow(
    writer()
      .ins(START, 0, words)
      .ins(START + 5000, 18_000, ' ').events,
  );
  expect(row.before.length + row.after.length).toBeLessThanOrEqual(120);
  expect(words).toContain(row.after);
});

test('a large paste is flagged, unless the student works at her own pace', async () => {
  const pasted = Array.from({ length: 80 }, (_, i) => `w${i}`).join(' ');
  const ada = writer()
    .key(START)
    .ins(START, 0, 'My own words. ')
    .hint(START + 9000, 'paste-key')
    .ins(START + 9100, 14, pasted);
  expect((await classRow(ada.events)).flags).toEqual([
    { kind: 'large-paste', at: SECOND + 9, n: pasted.length },
  ]);
  expect(await classRow(ada.events, { own: ['own-pace'] })).toMatchObject({ flags: [], ownPace: true });
  expect(await classRow(ada.events, { own: ['voice-typing'] })).toMatchObject({ flags: [] });
});

test('seen today means since the local day on which the lesson began', async () => {
  const late = writer().ins(Date.UTC(2026, 10, 19, 23, 30), 0, 'a').events;
  const lessonAt = Date.UTC(2026, 10, 20, 9);
  expect((await classRow(late, { lessonAt })).seenToday).toBe(true);
  const early = writer().ins(Date.UTC(2026, 10, 19, 22, 30), 0, 'a').events;
  expect((await classRow(early, { lessonAt })).seenToday).toBe(false);
});

test('what a teacher did stands under its cause', async () => {
  const snoozed = event(queue, 'snoozed', {
    student: 'ada',
    at: START,
    cause: 'long quiet',
    actor: 't',
    ms: 300_000,
  });
  expect((await classRow([snoozed])).acted).toEqual({
    'long quiet': { did: 'snoozed', at: SECOND, until: SECOND + 300 },
  });
});

test('a lesson begins when the teacher says so, else with the first signal of the latest day', async () => {
  const yesterday = await classRow(writer().ins(START - 86_400_000, 0, 'a').events);
  const today = await classRow(writer().ins(START, 0, 'a').events);
  const later = await classRow(writer().ins(START + 60_000, 0, 'a').events);
  const nobody = await classRow([]);
  expect(frameOf(classDashboard, [yesterday, later, today, nobody])).toEqual({ lessonAt: START });
  expect(frameOf(classDashboard, [nobody])).toEqual({ lessonAt: null });
  const classroom = { id: 'c', name: 'C', timezone: 'UTC', lessonAt: 7 };
  expect(frameOf(classDashboard, [today], { classroom })).toEqual({ lessonAt: 7 });
});

test('a student page shows the document chosen, else the latest', async () => {
  const first = writer('d1').open(START, 'First').ins(START, 0, 'one');
  const second = writer('d2')
    .open(START + 60_000, 'Second')
    .ins(START + 61_000, 0, 'two words');
  const events = inTime(first.events, second.events);
  expect(await studentRow(events)).toMatchObject({
    doc: 'd2',
    title: 'Second',
    text: 'two words',
    words: 2,
    length: 9,
  });
  expect(await studentRow(events, { doc: 'd1' })).toMatchObject({ doc: 'd1', text: 'one', cursor: 3 });
  expect((await studentRow(events)).documents.map(({ doc }) => doc)).toEqual(['d2', 'd1']);
  expect(await studentRow(events, { doc: 'd9' })).toMatchObject({ doc: 'd9', text: '', tab: null });
});

test('a student page shows growth, sessions, pastes and counts', async () => {
  const ada = writer()
    .key(START)
    .ins(START, 0, 'abc')
    .del(START + 5000, 1, 2);
  ada
    .hint(START + 2_000_000, 'paste-key')
    .ins(START + 2_000_100, 2, 'something that was copied somewhere else');
  const row = await studentRow(ada.events);
  expect(row.growth).toEqual([
    [SECOND, 3, 3, 3, 0],
    [SECOND + 5, 2, 1, 3, 5],
    [SECOND + 2000, 42, 42, 43, 65],
  ]);
  expect(row.sessions).toEqual([
    { from: SECOND, to: SECOND + 5 },
    { from: SECOND + 2000, to: SECOND + 2000 },
  ]);
  expect(row.pastes).toMatchObject([{ at: SECOND + 2000, n: 40, class: 'new', isLarge: false }]);
  expect(row.counts).toEqual({ typed: 3, pasted: 40, moved: 0, deleted: 1 });
  expect((await studentRow(ada.events, {}, ['voice-typing'])).pastes).toMatchObject([{ class: 'voice' }]);
});

test.each([
  ['letters', 'word '],
  ['three bytes each', '語'],
  ['pairs', '😀'],
  ['signs that JSON escapes', '"\n'],
])('a row with a long text of %s has at most 1 MiB, and says that it is cut', async (_kind, unit) => {
  const ada = writer();
  for (let i = 0; i < 700; i += 1) ada.ins(START + i * 2000, 0, unit);
  ada.ins(START + 2e6, 0, unit.repeat(1_200_000 / unit.length));
  const row = await studentRow(ada.events);
  expect(Buffer.byteLength(JSON.stringify(row))).toBeLessThan(1024 * 1024);
  expect(row.isCut).toBe(true);
  expect(row.text).not.toMatch(/^[\uDC00-\uDFFF]/);
});

test('a row says what makes its numbers doubtful', async () => {
  const gap = event(client, 'capture-gap', { student: 'ada', at: START, from: 1, to: 2, count: 3 });
  const ada = writer().ins(START, 6, 'end');
  const events = inTime([connected(START), gap], ada.events);
  const quality = ['parts-not-seen', 'events-lost', 'identity-not-verified'];
  expect(await classRow(events)).toMatchObject({ quality });
  expect(await studentRow(events)).toMatchObject({ quality, text: '…end', length: 3 });
});
