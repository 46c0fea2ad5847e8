import { expect, test } from 'vitest';
import { routeUpgrade, type UpgradeRules } from './upgrade.ts';

const rules: UpgradeRules = {
  hosts: new Set(['localhost:3000']),
  ownOrigins: new Set(['http://localhost:3000']),
  ingestOrigins: new Set(['chrome-extension://abcdefghijklmnopabcdefghijklmnop']),
  isDev: false,
};
const route = (url: string, headers: Record<string, string> = {}, over: Partial<UpgradeRules> = {}) =>
  routeUpgrade({ url, headers: { host: 'localhost:3000', ...headers } }, { ...rules, ...over });

test('the paths that the house knows are upgraded, with or without a query', () => {
  expect(route('/socket.io/?EIO=4&transport=websocket')).toBe('socket.io');
  expect(route('/wsapi/in/')).toBe('learning-observer');
  expect(route('/wsapi/in')).toBe('learning-observer');
  expect(route('/wsapi/in/?source=x')).toBe('learning-observer');
});

test.each([
  '/',
  '/wsapi/other',
  '/wsapi/in/x',
  '/socket.io',
  '//wsapi/in/',
  'http://evil.test/wsapi/in/',
  '/wsapi//in/',
  '\\wsapi\\in',
  '*',
  '',
])('any other target is destroyed without an answer: %s', (url) => {
  expect(route(url)).toBe('destroy');
});

test('a host that is not ours is destroyed, whatever is forwarded', () => {
  expect(route('/wsapi/in/', { host: 'evil.test' })).toBe('destroy');
  expect(route('/wsapi/in/', { host: 'evil.test', 'x-forwarded-host': 'localhost:3000' })).toBe('destroy');
  expect(routeUpgrade({ url: '/wsapi/in/', headers: {} }, rules)).toBe('destroy');
});

test.each([
  'null',
  'http://localhost:3000.evil.test',
  'http://evil.test/http://localhost:3000',
  'https://localhost:3000',
  'http://LOCALHOST:3000',
  'http://localhost:3001',
  'http://localhost:3000/',
  'chrome-extension://abcdefghijklmnopabcdefghijklmnoq',
  '',
])('an origin that is not listed byte for byte is forbidden: %s', (origin) => {
  expect(route('/wsapi/in/', { origin })).toBe('forbidden');
  expect(route('/socket.io/', { origin })).toBe('forbidden');
});

test('own pages, listed extensions and clients without an origin pass', () => {
  for (const headers of [
    { origin: 'http://localhost:3000' },
    { origin: 'chrome-extension://abcdefghijklmnopabcdefghijklmnop' },
    {} as Record<string, string>,
  ])
    expect(route('/wsapi/in/', headers)).toBe('learning-observer');
});

test("the bundler's sockets exist in development only", () => {
  expect(route('/_next/hmr', {}, { isDev: true })).toBe('next');
  expect(route('/_next/hmr')).toBe('destroy');
});
