import { mkdirSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from '@playwright/test';
import { observerClient } from './observer-client.ts';
import { test as base, expect, foundSchool, type School, signIn } from './school.ts';

const PICTURES = 'var/pictures';
const WIDTHS = [1280, 390] as const;
const THEMES = ['light', 'dark'] as const;

const test = base.extend<{ own: School }>({
  own: async ({}, use) => {
    const school = await foundSchool();
    await school.start();
    await use(school);
    await school.stop();
  },
});

type Shot = {
  readonly name: string;
  readonly email: string | null;
  readonly path: (page: Page) => Promise<string> | string;
  readonly ready: (page: Page) => Promise<void>;
};

async function classPath(page: Page, name: string): Promise<string> {
  await page.goto('/classes');
  return (
    (await page
      .getByRole('link', { name: new RegExp(name) })
      .first()
      .getAttribute('href')) ?? ''
  );
}

const heading = async (page: Page) => {
  await expect(page.locator('h1').first()).toBeVisible();
};

const PAGES: readonly Shot[] = [
  { name: 'sign-in', email: null, path: () => '/sign-in', ready: heading },
  { name: 'not-found', email: 'teacher@demo.test', path: () => '/classes/nothing-here', ready: heading },
  { name: 'classes', email: 'teacher@demo.test', path: () => '/classes', ready: heading },
  {
    name: 'roster',
    email: 'teacher@demo.test',
    path: async (page) => `${await classPath(page, 'English 8b')}/roster`,
    ready: heading,
  },
  { name: 'me', email: 'student04@demo.test', path: () => '/me', ready: heading },
  {
    name: 'write',
    email: 'student04@demo.test',
    path: () => '/write',
    ready: async (page) => expect(page.getByRole('textbox', { name: 'Your text' })).toBeVisible(),
  },
];

/** Violations of axe, errors of the console and of the policy, and sideways scrolling: each is a failure. */
async function look(page: Page, name: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect.soft(wide, `${name} scrolls sideways`).toBeLessThanOrEqual(0);
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect
    .soft(
      violations.map(
        (v) =>
          `${v.id}: ${v.nodes
            .map((node) => node.target.join(' '))
            .slice(0, 3)
            .join(' | ')}`,
      ),
      name,
    )
    .toEqual([]);
}

async function eachFace(browser: Browser, school: School, shot: Shot): Promise<void> {
  for (const theme of THEMES) {
    const context = await browser.newContext({
      baseURL: school.url,
      colorScheme: theme,
      reducedMotion: 'reduce',
    });
    if (shot.email) await signIn(context, school, shot.email);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' && !/404/.test(message.text())) errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    const path = await shot.path(page);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
      await page.goto(path);
      await shot.ready(page);
      await look(page, `${shot.name}-${width}-${theme}`);
    }
    expect.soft(errors, shot.name).toEqual([]);
    await context.close();
  }
}

test('every page is free of violations at 1280 and 390, light and dark', async ({ browser, own }) => {
  test.setTimeout(240_000);
  mkdirSync(PICTURES, { recursive: true });
  for (const shot of PAGES) await eachFace(browser, own, shot);
});

for (const count of [0, 1, 40]) {
  test(`the class dashboard and a student's page with ${count} students`, async ({ browser, own }) => {
    test.setTimeout(240_000);
    mkdirSync(PICTURES, { recursive: true });
    const clients = [];
    for (let i = 0; i < count; i++) {
      const client = await observerClient(own, `visitor-${i}`);
      client.type(`The lighthouse keeper number ${i} counts the ships. `);
      if (i % 3 > 0)
        client.type(
          'She writes each name in a blue book, and on Sundays she reads the names aloud to the sea.',
        );
      clients.push(client);
    }
    const email = 'teacher@demo.test';
    const articles = async (page: Page) => {
      if (count === 0) await expect(page.getByText('No students yet')).toBeVisible();
      await expect(page.getByRole('article')).toHaveCount(count, { timeout: 15_000 });
      if (count > 0)
        await expect(page.getByRole('article').filter({ hasText: /number|aloud|ships|sea/ })).toHaveCount(
          count,
          { timeout: 15_000 },
        );
    };
    await eachFace(browser, own, {
      name: `class-${count}`,
      email,
      path: (page) => classPath(page, 'Visitors'),
      ready: articles,
    });
    if (count > 0)
      await eachFace(browser, own, {
        name: `student-${count}`,
        email,
        path: async (page) => {
          await page.goto(await classPath(page, 'Visitors'));
          return (
            (await page.getByRole('article').first().getByRole('link').first().getAttribute('href')) ?? ''
          );
        },
        ready: async (page) =>
          expect(page.getByRole('region', { name: 'Text', exact: true })).toContainText('lighthouse'),
      });
    for (const client of clients) client.close();
  });
}
