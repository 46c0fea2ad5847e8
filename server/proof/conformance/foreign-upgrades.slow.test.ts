import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Foreign } from './foreign-upgrades.ts';

/** Addresses for documentation (RFC 5737): nobody's. */
const [NEAR, FAR] = ['198.51.100.1', '203.0.113.9'];
const SCRIPT = join(import.meta.dirname, 'foreign-upgrades.ts');
/** Every address of the world leads back to this namespace, so that whoever is called is heard. */
const NETWORK = 'ip link set lo up && ip route add local default dev lo';

test('W3 an upgrade to anywhere else is cut, and the kernel counts no connection and no datagram of the server', async () => {
  if (process.getuid?.() !== 0) throw new Error('a network namespace is needed, which only root may make');
  const command = `${NETWORK} && exec ${process.execPath} ${SCRIPT} ${NEAR} ${FAR}`;
  const { stdout } = await promisify(execFile)('unshare', ['--net', 'sh', '-c', command]);
  const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Foreign;
  console.log(`figure upgrades.asked ${found.asked}\nfigure upgrades.connections ${found.connections}`);
  expect(found.answered).toEqual([]);
  expect(found.asked).toBeGreaterThan(60);
  expect(found).toMatchObject({ heard: 0, connections: 0, datagrams: 0 });
  // One connection that was made on purpose was counted and heard.
  expect(found.control).toEqual([1, 1]);
});
