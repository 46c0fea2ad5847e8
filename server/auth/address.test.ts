import { describe, expect, it } from 'vitest';
import { cutAddress } from './address.ts';
import { isOwnRequest, ownOrigins } from './origin.ts';

describe('an address', () => {
  it.each([
    ['10.1.2.3', '10.1.2.0/24'],
    ['::ffff:10.1.2.3', '10.1.2.0/24'],
    ['2001:db8:aa:bb::1', '2001:db8:aa::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['10.1.2.0/24', '10.1.2.0/24'],
    ['', ''],
    ['not an address', ''],
  ])('%s is kept as %s', (address, cut) => {
    expect(cutAddress(address)).toBe(cut);
  });
});

describe('our own pages', () => {
  const request = (origin: string | null, site?: string) =>
    new Request('https://observer.test/api/sign-out', {
      method: 'POST',
      headers: { ...(origin ? { origin } : {}), ...(site ? { 'sec-fetch-site': site } : {}) },
    });

  it('are those of the public address, in demo mode those of loopback', () => {
    expect(ownOrigins('https://observer.test/', false)).toEqual(['https://observer.test']);
    expect(ownOrigins('http://localhost:3000', true)).toEqual([
      'http://localhost:3000',
      'http://127.0.0.1:3000',
      'http://[::1]:3000',
    ]);
  });

  it('are told by origin, byte for byte', () => {
    const own = ownOrigins('https://observer.test', false);
    expect(isOwnRequest(request('https://observer.test'), own)).toBe(true);
    expect(isOwnRequest(request('https://observer.test', 'same-origin'), own)).toBe(true);
    for (const origin of [
      null,
      'null',
      'http://observer.test',
      'https://observer.test:444',
      'https://observer.test.evil',
      'https://xobserver.test',
      'HTTPS://observer.test',
    ])
      expect(isOwnRequest(request(origin), own), String(origin)).toBe(false);
    expect(isOwnRequest(request('https://observer.test', 'cross-site'), own)).toBe(false);
  });
});
