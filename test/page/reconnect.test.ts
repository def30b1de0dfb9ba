import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

describe('the page when it loads and comes back', { skip: noBrowser, timeout: 240_000 }, () => {
  test('a board that registers while the list of boards is on its way appears all the same', async () => {
    const own = await startTestServer();
    const browser = await openBrowser(own);
    try {
      const page = await browser.context.newPage();
      const release = Promise.withResolvers<void>();
      let listed = 0;
      await page.route('**/api/v1/devices', async (route) => {
        const response = await route.fetch();
        listed++;
        await release.promise;
        await route.fulfill({ response });
      });
      const told: string[] = [];
      page.on('websocket', (socket) =>
        socket.on('framereceived', ({ payload }) => void told.push(String(payload))),
      );
      await page.goto('/');
      await until(() => listed === 2 && told.length > 0);
      await register(own, 'late-1', 'Came late');
      await until(() => told.some((message) => message.includes('late-1')));
      release.resolve();
      await page.getByText('Came late').waitFor();
    } finally {
      await browser.close();
      await own.dispose();
    }
  });

  test('a view that could not be loaded while the server was away is there once it is back', () =>
    withRestart(async (page, before, startAgain) => {
      await page.getByText('No board or camera yet').waitFor();
      await before.stop();
      await page.getByRole('link', { name: 'Recordings' }).click();
      await page.getByText('This part of the page could not be loaded').waitFor();
      await startAgain();
      await page.getByText('No recording yet').waitFor();
    }));

  test('a server that goes away is told; the page comes back by itself, with what happened meanwhile', () =>
    withRestart(async (page, before, startAgain) => {
      await page.getByText('Live', { exact: true }).waitFor();
      await before.stop();
      await page.getByText('No connection; trying again').waitFor();
      const after = await startAgain();
      // Before the page is back, while it loads its lists, or after: once, and without another sign of life.
      await register(after, 'new-1', 'Came meanwhile');
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByText('Came meanwhile').waitFor();
    }));
});

/** A page of a server that the test stops, and starts again at the same port with the same folder. */
async function withRestart(
  work: (page: Page, before: TestServer, startAgain: () => Promise<TestServer>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-page-'));
  const before = await startTestServer({}, folder);
  const browser = await openBrowser(before);
  let after: TestServer | null = null;
  try {
    await work(await browser.open(), before, async () => {
      after = await startTestServer({ PORT: String(before.port) }, folder);
      return after;
    });
  } finally {
    await browser.close();
    await before.stop();
    await (after as TestServer | null)?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function register(server: TestServer, deviceId: string, deviceName: string): Promise<void> {
  const response = await server.call('/api/v1/devices/register', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ deviceId, deviceName }),
  });
  assert.equal(response.status, 200);
}
