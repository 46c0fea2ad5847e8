import { describe, expect, test } from 'vitest';
import type { Archive } from './archive.ts';
import type { Draft, Entry } from './entry.ts';

/** What a contract run needs of an adapter: a fresh archive, and room to clean up behind it. */
export type ContractSubject = {
  open(): Promise<Archive>;
  /** The same archive again, after `close`; undefined where nothing outlives it. */
  reopen?: () => Promise<Archive>;
};

export function batch(student: string, from: number, count = 1, t = 1000): Draft {
  const ev = Array.from({ length: count }, (_, i) => ({
    event: 'typed',
    sentAt: t + i,
    body: { text: `é☃ ${from + i}` },
  }));
  const h = Buffer.from(ev.map((_, i) => String(from + i).padStart(16, '0')).join(''), 'latin1').toString(
    'base64',
  );
  return { k: 'batch', t, s: student, p: `p-${student}`, e: 1, f: from, src: 'pad', off: 0, ev, h };
}

export function append(archive: Archive, ...drafts: Draft[]): Promise<number> {
  return new Promise((resolve, reject) =>
    archive.append(drafts, (refused, first) => (refused ? reject(new Error(refused)) : resolve(first))),
  );
}

export async function all(slices: AsyncIterable<readonly Entry[]>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const slice of slices) entries.push(...slice);
  return entries;
}

/** What every adapter of the archive must do. `make` gives each test its own place. */
export function archiveContract(name: string, make: () => Promise<ContractSubject>): void {
  describe(name, () => {
    test('gives offsets without gaps, in the order of the appends, and the same entries to listeners', async () => {
      const archive = await (await make()).open();
      const start = archive.end();
      const heard: Entry[] = [];
      archive.onDurable((entries) => void heard.push(...entries));
      const drafts = Array.from({ length: 300 }, (_, i) => batch(`s${i % 7}`, i + 1));
      const firsts = await Promise.all(drafts.map((draft) => append(archive, draft)));
      expect(firsts).toEqual(drafts.map((_, i) => start + i));
      expect(heard.map((entry) => entry.o)).toEqual(firsts);
      expect(heard.every((entry, i) => entry === (drafts[i] as unknown as Entry))).toBe(true);
      expect(archive.end()).toBe(start + 300);
      await archive.close();
    });

    test('answers before it tells listeners, and never in the turn of the append', async () => {
      const archive = await (await make()).open();
      const order: string[] = [];
      archive.onDurable((entries) => void order.push(`heard ${entries.length}`));
      let isLater = false;
      const answered = new Promise<void>((resolve) => {
        archive.append([batch('ada', 1), batch('ada', 2)], (_refused, first) => {
          order.push(`first ${first - archive.end()} ${isLater}`);
          resolve();
        });
      });
      isLater = true;
      await answered;
      await append(archive, batch('ada', 3));
      expect(order).toEqual(['first -2 true', 'heard 2', 'heard 1']);
      await archive.close();
    });

    test('raises a time that would go back, and keeps the rest of a draft', async () => {
      const archive = await (await make()).open();
      const draft = batch('ada', 2, 2, 5000);
      const kept = structuredClone(draft);
      await append(archive, batch('ada', 1, 1, 2 ** 42));
      const first = await append(archive, draft);
      expect(draft).toEqual({ ...kept, t: 2 ** 42, o: first });
      const read = await all(archive.read(first));
      expect(read).toEqual([draft]);
      await archive.close();
    });

    test('reads a range, all of it, and one student alone, in offset order and in slices', async () => {
      const archive = await (await make()).open();
      const drafts: Draft[] = Array.from({ length: 2500 }, (_, i) => batch(`s${i % 3}`, i + 1));
      drafts[4] = {
        k: 'bad',
        t: 1000,
        s: 's1',
        p: 'p-s1',
        e: 1,
        f: 5,
        n: 1,
        bad: { code: 'schema', original: '"s":"s2"' },
      };
      drafts[5] = { k: 'audit', t: 1000, b: { who: 's2' } };
      const first = await append(archive, ...drafts);
      const read = await all(archive.read(first));
      expect(read).toEqual(drafts);
      expect(await all(archive.read(first + 10, first + 1700))).toEqual(drafts.slice(10, 1700));
      for (const student of ['s0', 's1', 's2', 'nobody']) {
        expect(await all(archive.readStudent(student))).toEqual(read.filter((entry) => entry.s === student));
      }
      expect(await all(archive.readStudent('s1', first + 5))).toEqual(
        read.slice(0, 5).filter((entry) => entry.s === 's1'),
      );
      for await (const slice of archive.read(0)) expect(slice.length).toBeLessThanOrEqual(1000);
      await archive.close();
    });

    test('reads the same after sealing, with appends going on', async () => {
      const archive = await (await make()).open();
      await append(archive, ...Array.from({ length: 50 }, (_, i) => batch(`s${i % 3}`, i + 1)));
      const before = await all(archive.read(0));
      const sealed = archive.seal();
      await append(archive, batch('s1', 99));
      await sealed;
      const after = await all(archive.read(0));
      expect(after.slice(0, before.length)).toEqual(before);
      expect(after.length).toBe(before.length + 1);
      expect(await all(archive.readStudent('s1'))).toEqual(after.filter((entry) => entry.s === 's1'));
      await archive.close();
    });

    test('takes a draft again that it has had before, under its new offset', async () => {
      const archive = await (await make()).open();
      const draft = batch('ada', 1);
      const first = await append(archive, draft);
      const second = await append(archive, draft);
      expect((await all(archive.read(first))).map((entry) => entry.o)).toEqual([first, second]);
      await archive.close();
    });

    test('refuses after it was closed', async () => {
      const archive = await (await make()).open();
      await archive.close();
      expect(archive.refusing()).toBe('not-ready');
      await expect(append(archive, batch('ada', 1))).rejects.toThrow('not-ready');
    });
  });
}
