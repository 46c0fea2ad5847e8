import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateStore } from './state-store.ts';

const archive = 'a'.repeat(32);

async function fieldsOf(store: StateStore, student: string): Promise<Record<string, string>> {
  return Object.fromEntries((await store.load(student)).fields);
}

/** What every store of states must do; `open` gives a new, empty one. */
export function describeStateStore(name: string, open: () => Promise<StateStore>): void {
  describe(name, () => {
    let store: StateStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it('has nothing folded at first', async () => {
      expect(await store.claim({ archive, fence: 0, end: 0 })).toBe(-1);
      expect(await store.load('ada')).toEqual({ checkpoint: -1, fields: new Map() });
    });

    it('takes a flush that builds on its checkpoint, as a whole', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      const writes = [
        { student: 'ada', set: [['a', '1'] as const, ['b', '"ü€😀"'] as const], del: [] },
        { student: 'bob:{x} *', set: [['a', '2'] as const], del: ['none'] },
      ];
      expect(await store.flush({ fence: 0, base: -1, checkpoint: 4, writes })).toEqual({ ok: true });
      expect(await store.load('ada')).toEqual({
        checkpoint: 4,
        fields: new Map([
          ['a', '1'],
          ['b', '"ü€😀"'],
        ]),
      });
      expect(await fieldsOf(store, 'bob:{x} *')).toEqual({ a: '2' });
    });

    it('replaces and removes fields, and leaves the others', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      const first = [
        {
          student: 'ada',
          set: [
            ['a', '1'],
            ['b', '2'],
            ['c', '3'],
          ] as [string, string][],
          del: [],
        },
      ];
      await store.flush({ fence: 0, base: -1, checkpoint: 0, writes: first });
      const second = [{ student: 'ada', set: [['a', '9']] as [string, string][], del: ['b'] }];
      await store.flush({ fence: 0, base: 0, checkpoint: 1, writes: second });
      expect(await fieldsOf(store, 'ada')).toEqual({ a: '9', c: '3' });
    });

    it('refuses a flush that builds on another checkpoint, and writes nothing of it', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      await store.flush({ fence: 0, base: -1, checkpoint: 3, writes: [] });
      const writes = [{ student: 'ada', set: [['a', '1']] as [string, string][], del: [] }];
      for (const base of [-1, 2, 4])
        expect(await store.flush({ fence: 0, base, checkpoint: 5, writes })).toEqual({
          ok: false,
          why: 'stale',
        });
      expect(await store.load('ada')).toEqual({ checkpoint: 3, fields: new Map() });
    });

    it('refuses a lower fence than it has seen, and writes nothing of it', async () => {
      await store.claim({ archive, fence: 3, end: 9 });
      await store.claim({ archive, fence: 5, end: 9 });
      const writes = [{ student: 'ada', set: [['a', '1']] as [string, string][], del: [] }];
      const old = { fence: 3, base: -1, checkpoint: 5, writes };
      expect(await store.flush(old)).toEqual({ ok: false, why: 'fenced' });
      await store.empty(3);
      await expect(store.claim({ archive, fence: 4, end: 9 })).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.flush({ ...old, fence: 5 })).toEqual({ ok: true });
      await store.empty(3);
      expect(await fieldsOf(store, 'ada')).toEqual({ a: '1' });
    });

    it('gives the stored checkpoint to who claims it again, and keeps the states', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      const writes = [{ student: 'ada', set: [['a', '1']] as [string, string][], del: [] }];
      await store.flush({ fence: 0, base: -1, checkpoint: 8, writes });
      expect(await store.claim({ archive, fence: 9, end: 9 })).toBe(8);
      expect(await fieldsOf(store, 'ada')).toEqual({ a: '1' });
    });

    it('is emptied by a claim of another archive, and where it is ahead of the archive', async () => {
      const writes = [{ student: 'ada', set: [['a', '1']] as [string, string][], del: [] }];
      await store.claim({ archive, fence: 0, end: 9 });
      await store.flush({ fence: 0, base: -1, checkpoint: 8, writes });
      expect(await store.claim({ archive, fence: 0, end: 8 })).toBe(-1);
      expect(await fieldsOf(store, 'ada')).toEqual({});
      await store.flush({ fence: 0, base: -1, checkpoint: 7, writes });
      expect(await store.claim({ archive: 'b'.repeat(32), fence: 0, end: 9 })).toBe(-1);
      expect(await store.load('ada')).toEqual({ checkpoint: -1, fields: new Map() });
    });

    it('names its students, and drops all of them', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      const students = Array.from({ length: 300 }, (_, i) => `s${i}`);
      const writes = students.map((student) => ({
        student,
        set: [['a', student]] as [string, string][],
        del: [],
      }));
      await store.flush({ fence: 0, base: -1, checkpoint: 0, writes });
      const gone = [{ student: 's7', set: [], del: ['a'] }];
      await store.flush({ fence: 0, base: 0, checkpoint: 1, writes: gone });
      const named: string[] = [];
      for await (const student of store.students()) named.push(student);
      expect(new Set(named)).toEqual(new Set(students.filter((student) => student !== 's7')));
      await store.empty(0);
      for await (const student of store.students()) expect.unreachable(student);
      expect(await store.load('s1')).toEqual({ checkpoint: -1, fields: new Map() });
    });

    it('takes a flush of many and large fields', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      const set = Array.from({ length: 200_000 }, (_, i) => [`f${i}`, 'x'.repeat(i % 40)] as const);
      const large = ['large', 'ü'.repeat(3_000_000)] as const;
      await store.flush({
        fence: 0,
        base: -1,
        checkpoint: 0,
        writes: [{ student: 'ada', set: [...set, large], del: [] }],
      });
      const { fields } = await store.load('ada');
      expect(fields).toEqual(new Map([...set, large]));
    });

    it('takes writes that are made as it asks for them, each once', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      const made: string[] = [];
      function* writes() {
        for (const student of ['ada', 'bob', 'cy']) {
          made.push(student);
          yield { student, set: [['a', student] as const], del: [] };
        }
      }
      await store.flush({ fence: 0, base: -1, checkpoint: 0, writes: writes() });
      expect(made).toEqual(['ada', 'bob', 'cy']);
      for (const student of made) expect(await fieldsOf(store, student)).toEqual({ a: student });
    });

    it('writes nothing of a flush whose making fails halfway', async () => {
      await store.claim({ archive, fence: 0, end: 9 });
      function* writes() {
        yield { student: 'ada', set: [['a', '1'] as const], del: [] };
        throw new Error('no more');
      }
      const flush = store.flush({ fence: 0, base: -1, checkpoint: 0, writes: writes() });
      await expect(flush).rejects.toThrow('no more');
      expect(await store.load('ada')).toEqual({ checkpoint: -1, fields: new Map() });
    });
  });
}
