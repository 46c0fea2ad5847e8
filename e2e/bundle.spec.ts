import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

/** Strings that stand in the server's or the modules' fold code and nowhere a browser should see. */
const SERVER_TEXT = [
  'the data directory is in use',
  'DATABASE_URL',
  'INGEST_SIGNING_KEY',
  'fdatasync',
  '_prisma_migrations',
  'lo-session',
  'AppError',
];
const REDUCER_TEXT = [
  'document-text',
  'google_docs_save',
  'org.mitros.writing_analytics',
  'time-on-task.v',
  'defineReducer',
];

test('the built client holds no server text and no reducer', () => {
  const scripts = filesUnder('.next/static').filter((file) => file.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(5);
  const found: string[] = [];
  let sawDashboard = false;
  for (const script of scripts) {
    const code = readFileSync(script, 'utf8');
    sawDashboard ||= code.includes('not started');
    for (const marker of [...SERVER_TEXT, ...REDUCER_TEXT])
      if (code.includes(marker)) found.push(`${script}: ${marker}`);
  }
  expect(sawDashboard, 'the scan reads the chunk of the class dashboard').toBe(true);
  expect(found).toEqual([]);
});

test('the markers of the scan are words that the sources really have', () => {
  const sources = [...filesUnder('server'), ...filesUnder('modules')].filter(
    (file) => /\.ts$/.test(file) && !file.includes('generated'),
  );
  const code = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  for (const marker of [...SERVER_TEXT, ...REDUCER_TEXT].filter((text) => text !== 'time-on-task.v'))
    expect(code, marker).toContain(marker);
});
