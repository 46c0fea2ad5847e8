import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskFileSystem } from './file-system.ts';
import { openSyncThread, type Syncs } from './syncs.ts';

describe('the thread that syncs', () => {
  let folder: string;
  let syncs: Syncs;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'syncs-'));
    syncs = openSyncThread();
  });
  afterAll(async () => {
    await syncs.close();
    await rm(folder, { recursive: true });
  });
  const fileAt = (name: string) => diskFileSystem.open(join(folder, name), 'create');

  it('answers one sync after the other', async () => {
    const file = await fileAt('a');
    for (let i = 0; i < 5; i++) {
      await file.write(Buffer.from('x'), i);
      await syncs.sync(file);
    }
    await file.close();
  });

  it('is heard within a turn of the loop', async () => {
    const file = await fileAt('b');
    await file.write(Buffer.alloc(1024), 0);
    const order: string[] = [];
    setImmediate(() => order.push('next turn'));
    void syncs.sync(file).then(() => order.push('synced'));
    const until = performance.now() + 10_000;
    while (order.length === 0 && performance.now() < until) {
      syncs.hear();
      await null; // Microtasks alone: the loop's turn goes on.
    }
    expect(order).toEqual(['synced']);
    await file.close();
  });

  it('rejects with the error of the system, and goes on', async () => {
    const file = await fileAt('c');
    const device = await diskFileSystem.open('/dev/null', 'read');
    await expect(syncs.sync(device)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(syncs.sync({ ...file, descriptor: 1_000_000 })).rejects.toMatchObject({ code: 'EBADF' });
    await syncs.sync(file);
    await Promise.all([file.close(), device.close()]);
  });

  it('rejects what it was asked when it ended, and everything after', async () => {
    const ending = openSyncThread();
    const file = await fileAt('d');
    await ending.sync(file);
    await ending.close();
    await expect(ending.sync(file)).rejects.toThrow('the thread that syncs ended');
    await file.close();
  });
});
