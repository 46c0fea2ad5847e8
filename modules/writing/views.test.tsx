import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import ClassDashboard from './dashboards/class-dashboard.tsx';
import type { ClassDashboardProps } from './dashboards/class-row.ts';
import type { StudentRow } from './dashboards/prepare-student.ts';
import { ago, classOf, NOW, PARAMS, rowOf, studentRowOf } from './dashboards/row-of.testing.ts';
import Student from './dashboards/student.tsx';

const CLASSROOM = { id: 'c1', name: 'English 8b', timezone: 'UTC' };
const studentHref = (id: string) => `/classes/c1/students/${id}`;

const draw = (different: Partial<ClassDashboardProps>) =>
  renderToString(
    <ClassDashboard
      rows={[]}
      params={PARAMS}
      now={NOW}
      frame={{ lessonAt: NOW - 1_140_000 }}
      trouble={{}}
      isLive
      classroom={CLASSROOM}
      studentHref={studentHref}
      {...different}
    />,
  ).replaceAll('<!-- -->', '');

const drawStudent = (different: Partial<StudentRow> = {}) =>
  renderToString(
    <Student
      rows={[studentRowOf(different)]}
      params={{ doc: '', tab: '', largePaste: 200 }}
      now={NOW}
      frame={null}
      trouble={{}}
      isLive
      classroom={CLASSROOM}
      studentHref={studentHref}
    />,
  ).replaceAll('<!-- -->', '');

const count = (html: string, part: string) => html.split(part).length - 1;

describe('the class dashboard', () => {
  it('shows an empty class the way to its roster', () => {
    const html = draw({ rows: [] });
    expect(html).toContain('No students yet');
    expect(html).toContain('href="/classes/c1/roster"');
    expect(html).not.toContain('lo-classbar');
  });

  it('says how to connect while nobody is', () => {
    const html = draw({ rows: classOf(3).map((row) => ({ ...row, seenToday: false })) });
    expect(html).toContain('Nobody is connected.');
    expect(count(html, 'not seen today</p>')).toBe(3);
  });

  it('shows one student large, without comparisons', () => {
    const html = draw({ rows: [rowOf()] });
    expect(html).toContain('lo-grid is-one');
    expect(html).not.toContain('lo-classbar');
    expect(html).not.toContain('Needs me');
  });

  it('names each card by student, word and words, and links it to the page', () => {
    const html = draw({ rows: classOf(31) });
    expect(count(html, '<article')).toBe(31);
    expect(html).toContain('aria-label="Ada A., writing, 40 words"');
    expect(html).toContain('href="/classes/c1/students/s00"');
  });

  it('lets Tab stop at one card alone', () => {
    const html = draw({ rows: classOf(31) });
    expect(count(html, 'lo-card-link" tabindex="0"') + count(html, 'tabindex="0" class="lo-card-link"')).toBe(
      1,
    );
  });

  it('is compact from 32 students on', () => {
    expect(draw({ rows: classOf(31) })).not.toContain('is-compact');
    expect(draw({ rows: classOf(40) })).toContain('lo-grid is-compact');
  });

  it('loses its colour, not its rows, with the connection', () => {
    const html = draw({ rows: classOf(31), isLive: false });
    expect(html).toContain('is-stale');
    expect(html).toContain('not live');
    expect(count(html, '<article')).toBe(31);
  });

  it('draws a text as text', () => {
    const html = draw({ rows: [rowOf({ before: '<img src=x onerror=alert(1)>', after: '' })] });
    expect(html).toContain('&lt;img src=x');
    expect(html).not.toContain('<img');
  });

  it('shows neither words nor name of a student without analysis', () => {
    const html = draw({
      rows: [rowOf(), rowOf({ student: { id: 'bo', name: 'Bo' } })],
      trouble: { bo: { code: 'stopped', since: NOW } },
    });
    expect(html).toContain('analysis stopped at 10:21');
    expect(count(html, 'the moon was bright')).toBe(1);
  });

  it('keeps a last space with the caret', () => {
    expect(draw({ rows: [rowOf({ before: 'so it is ', after: '' })] })).toContain('so it is\u00a0<span');
    expect(draw({ rows: [rowOf({ before: 'so it is ', after: '\n' })] })).toContain('so it is\u00a0<span');
    expect(draw({ rows: [rowOf({ before: 'so it is ', after: 'not' })] })).toContain('so it is <span');
  });
});

describe('the student page', () => {
  it('says so when nothing is written', () => {
    expect(drawStudent({ doc: null })).toContain('Nothing written yet');
    expect(drawStudent({ growth: [], text: '', cursor: 0 })).toContain('Not enough changes yet for a curve.');
  });

  it('draws no curve of what was written within one second', () => {
    const curveOf = (to: number) =>
      drawStudent({
        growth: [
          [ago(5), 0, 0, 0, 0],
          [to, 90, 90, 0, 0],
        ],
      });
    expect(curveOf(ago(5))).toContain('Not enough changes yet for a curve.');
    expect(curveOf(ago(4))).not.toContain('Not enough changes yet');
  });

  it('shows the text around the caret as text', () => {
    const html = drawStudent({ text: 'a <b> c', cursor: 2 });
    expect(html).toMatch(/a <span class="lo-caret"><\/span>&lt;b&gt; c/);
  });

  it('offers the student’s documents, the chosen one first', () => {
    const html = drawStudent();
    expect(html).toContain('My summer — Wed 11 Nov');
    expect(html).toMatch(/<option value="d1" selected="">/);
  });

  it('says under insertions that they are events and no reasons', () => {
    const html = drawStudent();
    expect(html).toContain('This describes an event, not its reason.');
    expect(html).not.toMatch(/copied|cheated|suspicious|authentic/i);
    expect(drawStudent({ pastes: [] })).not.toContain('at once?');
  });

  it('divides by nothing when nothing was inserted', () => {
    expect(drawStudent({ counts: { typed: 0, pasted: 0, moved: 0, deleted: 5 } })).not.toMatch(
      /NaN|Infinity/,
    );
    expect(
      drawStudent({
        growth: [
          [ago(5), 0, 0, 0, 0],
          [ago(5), 0, 0, 0, 0],
        ],
        sessions: [],
      }),
    ).not.toMatch(/NaN/);
  });
});
