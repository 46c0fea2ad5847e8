import { afterEach, describe, expect, it } from 'vitest';
import { batch, hello, save, type TestServer, type TestServerOptions } from './ingest-server.bench.ts';
import { startObserver } from './observer.testing.ts';

const open: TestServer[] = [];
async function start(options?: TestServerOptions): Promise<TestServer> {
  const server = await startObserver(options);
  open.push(server);
  return server;
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

describe('/wsapi/in/ with the sub-protocol learning-observer.1', () => {
  it('speaks part B, one answer a frame, in order', async () => {
    const server = await start();
    const ws = server.plain('/wsapi/in/', {
      protocol: 'learning-observer.1',
      headers: { authorization: 'Bearer token-ada' },
    });
    const told: object[] = [];
    ws.on('message', (data) => told.push(JSON.parse(String(data))));
    await new Promise((resolve) => ws.on('open', resolve));
    expect(ws.protocol).toBe('learning-observer.1');
    const frames = [hello(), batch(1, [save(1)]), batch(9, [save(9)]), '[', batch(2, [save(2), save(3)])];
    for (const frame of frames) ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    await expect.poll(() => told.length).toBe(5);
    expect(told).toMatchObject([
      { type: 'welcome', next: 1 },
      { type: 'stored', upTo: 1 },
      { type: 'refused', code: 'gap', expected: 2 },
      { type: 'bad-frame', code: 'not-json' },
      { type: 'stored', upTo: 3 },
    ]);
  });

  it('closes who proves nothing, and who sends twice too much', async () => {
    const server = await start();
    const ws = server.plain('/wsapi/in/', { protocol: 'learning-observer.1' });
    expect(await new Promise((resolve) => ws.on('close', resolve))).toBe(4401);
    const large = server.plain('/wsapi/in/', {
      protocol: 'learning-observer.1',
      headers: { authorization: 'Bearer token-ada' },
    });
    await new Promise((resolve) => large.on('open', resolve));
    large.send('x'.repeat(140 * 1024));
    expect(await new Promise((resolve) => large.on('close', resolve))).toBe(1009);
  });
});
