import { expect, test } from 'vitest';
import { clientAddress } from './address.ts';

const from = (remoteAddress: string, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: forwarded ? { 'x-forwarded-for': forwarded } : {} }) as never;

test('without a trusted proxy the peer is the sender, whatever it forwards', () => {
  expect(clientAddress(from('198.51.100.7', '203.0.113.9'), new Set())).toBe('198.51.100.7');
  expect(clientAddress(from('198.51.100.7', '203.0.113.9'), new Set(['127.0.0.1']))).toBe('198.51.100.7');
});

test('a trusted proxy names the sender, and a forged hop before it is not believed', () => {
  const trusted = new Set(['127.0.0.1']);
  expect(clientAddress(from('127.0.0.1', '203.0.113.9'), trusted)).toBe('203.0.113.9');
  expect(clientAddress(from('::ffff:127.0.0.1', '10.0.0.1, 203.0.113.9'), trusted)).toBe('203.0.113.9');
  expect(clientAddress(from('127.0.0.1', '203.0.113.9, 127.0.0.1'), trusted)).toBe('203.0.113.9');
  expect(clientAddress(from('127.0.0.1'), trusted)).toBe('127.0.0.1');
});
