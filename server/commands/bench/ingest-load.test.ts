import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { isAnswer } from './ingest-load.ts';
import { typing } from './soak-load.ts';

it('takes an answer to an event for one, and that to a new token for none', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const dialect = await typing(privateKey, 1, { sent: 0, stored: 0, other: 0, rows: 0 });
  const told: string[] = [];
  const asked = new Promise<void>((done) => {
    dialect.onHeard?.(0, '42/ingest,["reauth",{"expiresAt":1}]', (text) => {
      told.push(text);
      done();
    });
  });
  await asked;
  const [, ack = ''] = /^42\/ingest,(\d+)\[/.exec(told[0] ?? '') ?? [];
  expect(isAnswer(dialect, '43/ingest,7[{"type":"stored","upTo":7,"bad":[]}]')).toBe(true);
  expect(isAnswer(dialect, `43/ingest,${ack}[{"type":"stored","upTo":7,"bad":[]}]`)).toBe(false);
});
