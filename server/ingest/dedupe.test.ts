import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from './core.ts';
import {
  advance,
  begin,
  confirm,
  declinedMark,
  judge,
  openDedupe,
  type Producer,
  undo,
  whenDurable,
} from './dedupe.ts';

const NOW = 1_700_000_000_000;
const hashFor = (content: number) => hashOf(String(content));

function met(table: ReturnType<typeof openDedupe>, more: object = {}, student = 'ada') {
  const answer = table.hello(student, { producer: 'p', epoch: 1, oldest: 1, ...more });
  if (typeof answer === 'string') throw new Error(answer);
  return answer;
}

function store(producer: Producer, content: number): void {
  const generation = begin(producer);
  expect(generation).toBe(producer.generation);
  advance(producer, hashFor(content));
  confirm(producer, producer.last, NOW);
}

describe('the dedupe table', () => {
  it('agrees with a list of all contents, whatever is sent, fails or is sent again', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            seq: fc.integer({ min: 1, max: 700 }),
            content: fc.integer({ min: 0, max: 1 }),
            isNext: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
            fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
            times: fc.integer({ min: 1, max: 60 }),
          }),
          { maxLength: 40 },
        ),
        (steps) => {
          const { producer } = met(openDedupe([], NOW));
          const kept: number[] = []; // content of seq i + 1
          for (const step of steps) {
            for (let i = 0; i < step.times; i++) {
              const seq = step.isNext ? kept.length + 1 : step.seq;
              const verdict = judge(producer, seq, hashFor(step.content));
              const before = kept[seq - 1];
              const isInRing = seq > kept.length - 256;
              if (seq === kept.length + 1) expect(verdict).toBe('next');
              else if (seq > kept.length) expect(verdict).toBe('gap');
              else if (isInRing && before !== step.content)
                expect(['conflict', 'duplicate']).toContain(verdict);
              else expect(verdict).toBe('duplicate');
              if (verdict === 'conflict') expect(before).not.toBe(step.content);
              if (verdict !== 'next') continue;
              const from = producer.last + 1;
              advance(producer, hashFor(step.content));
              const generation = begin(producer);
              if (step.fails) undo(producer, from, generation);
              else {
                confirm(producer, from, NOW);
                kept.push(step.content);
              }
              expect(producer.last).toBe(kept.length);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('knows exactly the contents of the last 256 seqs', () => {
    const { producer } = met(openDedupe([], NOW));
    for (let n = 1; n <= 300; n++) store(producer, n);
    expect(judge(producer, 45, hashFor(45))).toBe('duplicate');
    expect(judge(producer, 45, hashFor(9))).toBe('conflict');
    expect(judge(producer, 44, hashFor(9))).toBe('duplicate');
    expect(judge(producer, 300, hashFor(9))).toBe('conflict');
    expect(judge(producer, 302, hashFor(9))).toBe('gap');
  });

  it('begins with what the archive held', () => {
    const hashes = Buffer.from(hashFor(7) + hashFor(8) + declinedMark('collection-off'), 'binary');
    const row = { producer: 'p', epoch: 3, student: 'ada', last: 9, hashes, lastAt: NOW };
    const table = openDedupe([row, { ...row, epoch: 2, last: 50 }], NOW);
    const { producer, next } = met(table, { epoch: 3 });
    expect(next).toBe(10);
    expect(judge(producer, 7, hashFor(7))).toBe('duplicate');
    expect(judge(producer, 8, hashFor(7))).toBe('conflict');
    expect(judge(producer, 9, hashFor(7))).toBe('collection-off');
    expect(judge(producer, 6, hashFor(7))).toBe('duplicate');
    expect(table.hello('ada', { producer: 'p', epoch: 2, oldest: 1 })).toBe('conflict');
    expect(table.hello('bo', { producer: 'p', epoch: 3, oldest: 1 })).toBe('forbidden');
    expect(met(openDedupe([row], NOW + 401 * 86_400_000), { epoch: 2 }).next).toBe(1);
  });

  it('wants again what is not durable, and holds the answer to a duplicate until its original is', () => {
    const table = openDedupe([], NOW);
    const { producer } = met(table);
    advance(producer, hashFor(1));
    const generation = begin(producer);
    expect(met(table).next).toBe(1);
    const heard: boolean[] = [];
    whenDurable(producer, 1, (isDurable) => heard.push(isDurable));
    expect(heard).toEqual([]);
    undo(producer, 1, generation);
    expect(heard).toEqual([false]);
    expect(judge(producer, 1, hashFor(2))).toBe('next');
    store(producer, 2);
    whenDurable(producer, 1, (isDurable) => heard.push(isDurable));
    expect(heard).toEqual([false, true]);
    expect(met(table).next).toBe(2);
  });

  it('counts nothing as durable that is on its way behind what is', () => {
    const table = openDedupe([], NOW);
    const { producer } = met(table);
    for (const content of [1, 2]) {
      advance(producer, hashFor(content));
      begin(producer);
    }
    const heard: boolean[] = [];
    whenDurable(producer, 2, (isDurable) => heard.push(isDurable));
    confirm(producer, 1, NOW);
    expect([heard, met(table).next]).toEqual([[], 2]);
    confirm(producer, 2, NOW);
    expect([heard, met(table).next]).toEqual([[true], 3]);
  });

  it('takes back a failure once, though several appends of it fail', () => {
    const { producer } = met(openDedupe([], NOW));
    store(producer, 1);
    const generations = [2, 3, 4].map((content) => {
      advance(producer, hashFor(content));
      return begin(producer);
    });
    undo(producer, 2, generations[0] ?? -1);
    expect(producer.last).toBe(1);
    advance(producer, hashFor(22));
    const again = begin(producer);
    undo(producer, 3, generations[1] ?? -1);
    undo(producer, 4, generations[2] ?? -1);
    confirm(producer, 2, NOW);
    expect(again).toBe(producer.generation);
    expect([producer.last, producer.durable]).toEqual([2, 2]);
    expect(judge(producer, 2, hashFor(22))).toBe('duplicate');
    expect(judge(producer, 1, hashFor(1))).toBe('duplicate');
  });

  it('takes back an append that fails after a later one was refused at once', () => {
    const { producer } = met(openDedupe([], NOW));
    advance(producer, hashFor(1));
    const first = begin(producer);
    advance(producer, hashFor(2));
    undo(producer, 2, begin(producer));
    // A refused conflict frees nothing, and takes no right away.
    undo(producer, Number.POSITIVE_INFINITY, begin(producer));
    expect(producer.last).toBe(1);
    const heard: boolean[] = [];
    whenDurable(producer, 1, (isDurable) => heard.push(isDurable));
    undo(producer, 1, first);
    expect([producer.last, producer.durable, heard]).toEqual([0, 0, [false]]);
    store(producer, 3);
    expect(judge(producer, 1, hashFor(1))).toBe('conflict');
  });

  it('skips what the client no longer holds and counts it, once', () => {
    const table = openDedupe([], NOW);
    const { producer } = met(table, { oldest: 5 });
    expect(producer.last).toBe(4);
    store(producer, 5);
    expect(met(table, { oldest: 9 })).toMatchObject({ next: 9, lost: 3 });
    expect(met(table, { oldest: 9 })).toMatchObject({ next: 9, lost: 0 });
    expect(judge(producer, 5, hashFor(0))).toBe('duplicate');
  });

  it('forgets who said hello and never sent anything', () => {
    const table = openDedupe([], NOW);
    for (let i = 0; i < 100; i++) table.release(met(table, { producer: `p${i}` }).producer);
    expect(table.size()).toBe(0);
    const { producer } = met(table);
    store(producer, 1);
    table.release(producer);
    expect(table.size()).toBe(1);
  });
});
