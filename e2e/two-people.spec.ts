import { test as base, expect, foundSchool, type School, signIn } from './school.ts';

const test = base.extend<{ own: School }>({
  own: async ({}, use) => {
    const school = await foundSchool();
    await school.start();
    await use(school);
    await school.stop();
  },
});

test('a student types with a keyboard and the teacher reads the last words within a second', async ({
  browser,
  own,
}) => {
  const [pupil, teacher] = await Promise.all([browser.newContext(), browser.newContext()]);
  await signIn(pupil, own, 'student01@demo.test');
  await signIn(teacher, own, 'teacher@demo.test');
  const desk = await teacher.newPage();
  await desk.goto(`${own.url}/classes`);
  await desk
    .getByRole('link', { name: /English 8b/ })
    .first()
    .click();
  await expect(desk.getByRole('article')).toHaveCount(30);
  const pad = await pupil.newPage();
  await pad.goto(`${own.url}/write`);
  const text = pad.getByRole('textbox', { name: 'Your text' });
  await text.click();
  await text.pressSequentially('The harbour sleeps under snow', { delay: 20 });
  await expect(desk.getByRole('article').filter({ hasText: 'sleeps under snow' })).toHaveCount(1);
  const started = Date.now();
  await text.pressSequentially(' and gulls', { delay: 0 });
  await expect(desk.getByRole('article').filter({ hasText: 'snow and gulls' })).toHaveCount(1, {
    timeout: 1000,
  });
  expect(Date.now() - started).toBeLessThan(1500); // typing itself included
  await Promise.all([pupil.close(), teacher.close()]);
});

test('after kill -9 in mid-sentence nothing is missing and both pages go on by themselves', async ({
  browser,
  own,
}) => {
  const [pupil, teacher] = await Promise.all([browser.newContext(), browser.newContext()]);
  await signIn(pupil, own, 'student02@demo.test');
  await signIn(teacher, own, 'teacher@demo.test');
  const desk = await teacher.newPage();
  await desk.goto(`${own.url}/classes`);
  await desk
    .getByRole('link', { name: /English 8b/ })
    .first()
    .click();
  const pad = await pupil.newPage();
  await pad.goto(`${own.url}/write`);
  const text = pad.getByRole('textbox', { name: 'Your text' });
  await text.click();
  await text.pressSequentially('One two three four', { delay: 10 });
  await expect(desk.getByRole('article').filter({ hasText: 'three four' })).toHaveCount(1);
  const typing = text.pressSequentially(' five six seven eight nine ten eleven twelve', { delay: 25 });
  await own.kill();
  await expect(desk.getByText(/connection/i).first()).toBeVisible();
  await typing;
  await expect(desk.getByRole('article').filter({ hasText: 'three four' })).toHaveCount(1); // the row stays
  await own.start();
  await expect(desk.getByRole('article').filter({ hasText: 'eleven twelve' })).toHaveCount(1, {
    timeout: 40_000,
  });
  await text.pressSequentially(' thirteen', { delay: 10 });
  const card = desk.getByRole('article').filter({ hasText: 'twelve thirteen' });
  await expect(card).toHaveCount(1);
  await card.getByRole('link').first().click();
  await expect(desk.getByRole('region', { name: 'Text', exact: true })).toHaveText(
    'One two three four five six seven eight nine ten eleven twelve thirteen',
  );
  await Promise.all([pupil.close(), teacher.close()]);
});

test('what was typed offline survives a reload and reaches the teacher once', async ({ browser, own }) => {
  const [pupil, teacher] = await Promise.all([browser.newContext(), browser.newContext()]);
  await signIn(pupil, own, 'student03@demo.test');
  await signIn(teacher, own, 'teacher@demo.test');
  const pad = await pupil.newPage();
  await pad.goto(`${own.url}/write`);
  const text = pad.getByRole('textbox', { name: 'Your text' });
  await text.click();
  await text.pressSequentially('Before the tunnel.', { delay: 10 });
  await expect(pad.getByRole('status').filter({ hasText: /saved/i })).toBeVisible();
  await own.kill();
  await text.pressSequentially(' Inside the tunnel.', { delay: 10 });
  await own.start();
  await pad.reload();
  await expect(pad.getByRole('textbox', { name: 'Your text' })).toHaveText(
    'Before the tunnel. Inside the tunnel.',
  );
  const desk = await teacher.newPage();
  await desk.goto(`${own.url}/classes`);
  await desk
    .getByRole('link', { name: /English 8b/ })
    .first()
    .click();
  const card = desk.getByRole('article').filter({ hasText: 'Inside the tunnel.' });
  await expect(card).toHaveCount(1, { timeout: 40_000 });
  await card.getByRole('link').first().click();
  await expect(desk.getByRole('region', { name: 'Text', exact: true })).toHaveText(
    'Before the tunnel. Inside the tunnel.',
  );
  await Promise.all([pupil.close(), teacher.close()]);
});

test("a teacher of another class gets nothing: not the page, not the rows, not the student's text", async ({
  browser,
  own,
}) => {
  const [teacher, stranger] = await Promise.all([browser.newContext(), browser.newContext()]);
  await signIn(teacher, own, 'teacher@demo.test');
  await signIn(stranger, own, 'other-teacher@demo.test');
  const desk = await teacher.newPage();
  await desk.goto(`${own.url}/classes`);
  await desk
    .getByRole('link', { name: /English 8b/ })
    .first()
    .click();
  await expect(desk.getByRole('article')).toHaveCount(30);
  const classUrl = desk.url();
  const card = desk.getByRole('article').first();
  await card.getByRole('link').first().click();
  await desk.waitForURL(/students/);
  const studentUrl = desk.url();
  const page = await stranger.newPage();
  const missing = await page.goto(`${own.url}/classes/aaaaaaaaaaaaaaaaaaaaaaaaaa`);
  expect(missing?.status()).toBe(404);
  await expect(page.locator('h1')).toBeVisible();
  const missingText = await page.locator('body').innerText();
  for (const url of [classUrl, studentUrl, `${classUrl}/roster`]) {
    const answer = await page.goto(url);
    expect(answer?.status(), url).toBe(404);
    await expect(page.locator('h1')).toBeVisible();
    expect(await page.locator('body').innerText()).toBe(missingText);
  }
  await Promise.all([teacher.close(), stranger.close()]);
});
