import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OpenConnection } from './connections.ts';
import type { Ingest } from './ingest.ts';
import type { Answer } from './protocol.ts';
import { inOrder, openOrder, openSession } from './session.ts';

const EXPIRES_AT = 15 * 60_000;
const TOGETHER = 1_000;

describe('a token that ends', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => void vi.useRealTimers());

  it('is renewed by thousands that came together at moments of their own, and by none later than a minute before', () => {
    const asked: number[] = [];
    const ingest = { core: { clock: { now: () => Date.now() } } } as Ingest;
    const peer = { push: () => void asked.push(Date.now()) };
    const connection = { identity: { expiresAt: EXPIRES_AT }, peer } as unknown as OpenConnection;
    for (let i = 0; i < TOGETHER; i += 1) openSession(ingest, connection);
    vi.advanceTimersByTime(EXPIRES_AT - 60_000);
    expect(asked.length).toBe(TOGETHER);
    const seconds = asked.map((at) => Math.floor(at / 1000));
    expect(Math.min(...seconds)).toBeGreaterThan(10 * 60);
    const busiest = Math.max(...seconds.map((second) => seconds.filter((one) => one === second).length));
    expect(busiest).toBeLessThan(TOGETHER / 25);
  });
});

describe('replies', () => {
  it('leave in the order of their frames, whatever is answered first', () => {
    const told: string[] = [];
    const order = openOrder();
    const answer = (name: string): Answer => ({ type: 'refused', code: name, message: '' });
    const replies = ['a', 'b', 'c'].map((name) =>
      inOrder(order, (given) => void told.push('code' in given ? `${name}${given.code}` : '')),
    );
    replies[2]?.(answer('3'));
    replies[1]?.(answer('2'));
    expect(told).toEqual([]);
    replies[0]?.(answer('1'));
    expect(told).toEqual(['a1', 'b2', 'c3']);
    inOrder(order, (given) => void told.push(given.type))(answer('4'));
    expect(told.at(-1)).toBe('refused');
  });
});
