import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousFindings } from '../support/axe.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { portrait } from '../support/pictures.ts';
import { samplePath } from '../support/samples.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe('the people view', { skip: noBrowser }, () => {
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let folder: string;
  let ada: string;
  let adaAgain: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-test-people-'));
    ada = join(folder, 'ada.jpg');
    adaAgain = join(folder, 'ada again.jpg');
    await writeFile(ada, await portrait(0));
    await writeFile(adaAgain, await portrait(0, { widthPx: 280, brightness: 1.1 }));
    server = await startTestServer();
    browser = await openBrowser(server);
    page = await browser.open('/#/people');
  });
  after(async () => {
    await browser?.close();
    await server?.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  test('says what to do while nobody is enrolled', async () => {
    await page.getByRole('heading', { name: 'Nobody is enrolled yet' }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
  });

  test('a person is enrolled from files, and what is refused says why', async () => {
    await page.getByRole('button', { name: 'Enrol a person' }).click();
    await page.getByLabel('Name').fill('Ada Ünlü');
    assert.deepEqual(await seriousFindings(page), []);
    await page.keyboard.press('Enter');
    await page.getByText('Not enrolled yet').waitFor();
    await page
      .getByLabel('Choose pictures')
      .last()
      .setInputFiles([ada, adaAgain, samplePath(1)]);
    await page.getByText('Enrolled', { exact: true }).nth(1).waitFor();
    await page.getByText(/faces were found, expected one/).waitFor();
    await page.getByText('2 pictures, since').waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    assert.equal(server.gallery.size().pictures, 2);
  });

  test('of a picture with several people the operator points at one', async () => {
    await page.getByRole('button', { name: 'Choose the face' }).click();
    const dialog = page.getByRole('dialog', { name: 'Which face is Ada Ünlü?' });
    const known = dialog.getByRole('button', { name: 'Ada Ünlü: choose' });
    await known.waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Unknown face: choose' }).count(), 2);
    assert.deepEqual(await seriousFindings(page), []);
    await known.click();
    await page.getByText('3 pictures, since').waitFor();
  });

  test('the list shows who is there, and finds them without their accents', async () => {
    await page.getByRole('link', { name: 'Back to the people' }).click();
    const row = page.getByRole('link', { name: /^Ada Ünlü(?!, \d)/ });
    await row.waitFor();
    const thumbnail = row.locator('img');
    await thumbnail.evaluate((img: HTMLImageElement) => img.decode());
    await page.getByLabel('Search by name').fill('unlu');
    await page.getByText('1 person found').waitFor();
    assert.equal(await row.isVisible(), true);
    await page.getByLabel('Search by name').fill('nobody');
    await page.getByText('Nobody of that name.').waitFor();
    assert.deepEqual(await seriousFindings(page), []);
  });

  test('“who is this?” names whom it knows, says how sure it is, and enrols a face that it does not know', async () => {
    await page.getByRole('link', { name: 'Who is this?' }).click();
    await page.getByLabel('Choose a picture').last().setInputFiles(samplePath(1));
    await page.getByRole('heading', { name: '3 faces found' }).waitFor();
    const known = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Ada Ünlü' }) });
    assert.match((await known.textContent())!, /this person.*Similarity [01]\.\d\d, 0\.\d\d is needed/i);
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByRole('button', { name: 'Enrol this face' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Enrol this face' });
    await dialog.getByLabel('Name').fill('Berta');
    assert.deepEqual(await seriousFindings(page), []);
    await dialog.getByRole('button', { name: 'Enrol', exact: true }).click();
    await page.getByRole('dialog', { name: 'Berta is enrolled' }).waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('heading', { name: 'Berta' }).waitFor();
  });

  test('a face on the wall is enrolled from there', async () => {
    const sent = await server.call('/api/v1/stream/stream', {
      method: 'POST',
      body: new Uint8Array(await portrait(1, { widthPx: 280 })),
      headers: { 'Content-Type': 'image/jpeg', 'X-Device-Id': 'door' },
    });
    assert.equal(sent.status, 200);
    await page.goto('/#/wall/device/door');
    await page.getByRole('button', { name: 'Enrol a face of this picture' }).click();
    const dialog = page.getByRole('dialog', { name: 'Enrol this face' });
    await dialog.getByLabel('Name').fill('Doris');
    await dialog.getByRole('button', { name: 'Enrol', exact: true }).click();
    const done = page.getByRole('dialog', { name: 'Doris is enrolled' });
    await done.getByRole('link', { name: 'Show Doris' }).click();
    await page.getByText('1 picture, since').waitFor();
    await page.getByRole('button', { name: 'Delete this person' }).click();
    await page.getByRole('button', { name: 'Delete Doris' }).click();
    await page.getByText('Doris was deleted.').waitFor();
  });

  test('a picture is deleted, and the last one takes the person along; nothing is left', async () => {
    await page.goto('/#/people/of/Berta');
    await page.getByText('1 picture, since').waitFor();
    await page.getByRole('button', { name: 'Delete picture 1' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete this picture?' });
    await dialog.getByText('It is the last picture of Berta').waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await dialog.getByRole('button', { name: 'Delete Berta' }).click();
    await page.getByText('Berta was deleted.').waitFor();

    await page.getByRole('link', { name: /Ada Ünlü/ }).click();
    await page.getByRole('button', { name: 'Delete this person' }).click();
    await page.getByRole('button', { name: 'Delete Ada Ünlü' }).click();
    await page.getByRole('heading', { name: 'Nobody is enrolled yet' }).waitFor();
    assert.deepEqual(server.gallery.size(), { persons: 0, pictures: 0 });
    const files = await readdir(join(server.dataDir, 'faces'), { recursive: true, withFileTypes: true });
    assert.deepEqual(
      files.filter((entry) => entry.isFile()).map(({ name }) => name),
      [],
    );
    assert.deepEqual(browser.complaints, []);
  });
});
