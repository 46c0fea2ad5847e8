import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test as base, expect, foundSchool, type School, signIn } from './school.ts';

type Trace = {
  readonly startContent: string;
  readonly endContent: string;
  readonly txns: readonly { readonly patches: readonly (readonly [number, number, string])[] }[];
};

/** Recorded traces, where somebody has put them; invented ones run always, with the same assertions. */
const RECORDED = (process.env.EDITING_TRACES ?? '').split(',').filter((path) => path && existsSync(path));

const test = base.extend<{ own: School }>({
  own: async ({}, use) => {
    const school = await foundSchool();
    await school.start();
    await use(school);
    await school.stop();
  },
});

/** A long history of one writer who jumps about, cuts and pastes; from a seed, so that a failure can be repeated. */
function invent(seed: number, steps: number): Trace {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % limit;
  };
  let text = '';
  let at = 0;
  const txns = Array.from({ length: steps }, (_, i) => {
    if (below(20) === 0) at = below(text.length + 1);
    const cut = below(6) === 0 ? Math.min(below(12), text.length - at) : 0;
    const put =
      cut > 0 && below(2) === 0
        ? ''
        : below(300) === 0
          ? `Pasted ${i}. `.repeat(30)
          : 'abcdefghij klmnop qrst\nuvw xyz. '.charAt(below(32)) || ' ';
    text = text.slice(0, at) + put + text.slice(at + cut);
    const patches = [[at, cut, put]] as const;
    at += put.length;
    return { patches };
  });
  return { startContent: '', endContent: text, txns };
}

function simulate(school: School, path: string, doc: string) {
  const child = spawn(
    join('node_modules', '.bin', 'node'),
    ['server/commands/simulate.ts', '--trace', path, '--student', 'student07@demo.test', '--doc', doc],
    {
      env: { ...process.env, PORT: new URL(school.url).port, VAR_DIR: school.folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number, output }));
  return { ended };
}

async function traces(
  school: School,
): Promise<readonly { readonly name: string; readonly path: string; readonly end: string }[]> {
  const path = join(school.folder, 'invented.json');
  const trace = invent(20261121, 60_000);
  await writeFile(path, JSON.stringify(trace));
  const recorded = await Promise.all(
    RECORDED.map(async (file) => ({ name: file, path: file, end: await endOf(file) })),
  );
  return [{ name: 'invented', path, end: trace.endContent }, ...recorded];
}

async function endOf(path: string): Promise<string> {
  const { gunzipSync } = await import('node:zlib');
  const { readFileSync } = await import('node:fs');
  return (JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as Trace).endContent;
}

test('a recorded history ends with exactly its text on the student page, through a kill in the middle', async ({
  browser,
  own,
}) => {
  test.setTimeout(120_000 + RECORDED.length * 240_000);
  const teacher = await browser.newContext({ baseURL: own.url });
  await signIn(teacher, own, 'teacher@demo.test');
  const page = await teacher.newPage();
  await page.goto('/classes');
  await page
    .getByRole('link', { name: /English 8b/ })
    .first()
    .click();
  await page.getByRole('article').filter({ hasText: 'Elin S.' }).getByRole('link').first().click();
  await page.waitForURL(/students/);
  const student = page.url();
  for (const [i, { name, path, end }] of (await traces(own)).entries()) {
    const { ended } = simulate(own, path, `history-${i}`);
    await new Promise((resolve) => setTimeout(resolve, 3000)); // well inside the history, whatever the machine
    await own.kill();
    await own.start();
    expect((await ended).code, name).toBe(0);
    await page.goto(`${student}?doc=history-${i}`);
    const text = page.getByRole('region', { name: 'Text', exact: true });
    await expect(text).toBeVisible({ timeout: 20_000 });
    await expect
      .poll(async () => (await text.evaluate((node) => node.textContent)) === end, {
        message: name,
        timeout: 20_000,
      })
      .toBe(true);
  }
  await teacher.close();
});
