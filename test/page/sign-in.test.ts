import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seriousFindings } from '../support/axe.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

async function withBrowser(run: (browser: TestBrowser) => Promise<void>): Promise<void> {
  const browser = await openBrowser(server, { signedIn: false });
  try {
    await run(browser);
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.close();
  }
}

test('an operator signs in with the key, stays signed in, and signs out', { skip: noBrowser }, () =>
  withBrowser(async (browser) => {
    const page = await browser.open();
    const field = page.getByLabel('API key');
    await field.waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await field.fill('not the key of this server');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This is not the API key of this server.').waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await field.fill(API_KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Wall' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    const [cookie] = await browser.context.cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, 'Strict');
    const visible = await page.evaluate(() => document.cookie);
    assert.equal(visible, '');

    await page.reload();
    await page.getByRole('link', { name: 'Wall' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
  }),
);

test('the link of the start signs in once, and never stays in the address', { skip: noBrowser }, () =>
  withBrowser(async (browser) => {
    const link = server.signInLink();
    const page = await browser.open(link);
    await page.getByRole('link', { name: 'Wall' }).waitFor();
    assert.doesNotMatch(page.url(), /once/);

    await browser.context.clearCookies();
    await page.goto(link);
    await page.getByText('This link has been used, or is too old').waitFor();
    assert.equal(await page.getByLabel('API key').isVisible(), true);
  }),
);
