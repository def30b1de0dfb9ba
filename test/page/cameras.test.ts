import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousFindings } from '../support/axe.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { childProcesses, ffmpegOrReason, LIVE_PROGRAMS, smallClip } from '../support/ffmpeg.ts';
import { mediaWorkerOrReason } from '../support/media-worker.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const { program, reason } = await ffmpegOrReason();
const worker = mediaWorkerOrReason();
/** A page of this machine and a media server on its loopback. */
const FLAGS = ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'];
const PASSWORD = 'correct horse';

describe('cameras on the page', { skip: reason || noBrowser, timeout: 180_000 }, () => {
  let camera: RtspServer;
  before(async () => {
    const clip = await smallClip(program!, { width: 320, height: 240, keyFrameIntervalFrames: 10 });
    camera = await RtspServer.start({ clip, access: { scheme: 'Basic', user: 'admin', password: PASSWORD } });
  });
  after(async () => {
    await camera.close();
    assert.deepEqual(childProcesses(LIVE_PROGRAMS) ?? [], []);
  });

  async function withPage(
    settings: Record<string, string>,
    body: (page: Page, server: TestServer, browser: TestBrowser) => Promise<void>,
  ): Promise<void> {
    const server = await startTestServer({ SCAN_INTERVAL: '1', ...settings });
    try {
      const browser = await openBrowser(server, { flags: FLAGS });
      try {
        await body(await browser.open('/#/cameras'), server, browser);
        assert.deepEqual(browser.complaints, []);
      } finally {
        await browser.close();
      }
    } finally {
      await server.dispose();
    }
  }

  const url = (password = PASSWORD) => camera.url(`admin:${encodeURIComponent(password)}`);

  async function add(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Add a camera' }).click();
    await page.getByLabel('Name').fill('Entrance');
    await page.getByLabel('RTSP address').fill(url());
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Entrance' }).waitFor();
  }

  /** Waits until the picture has changed so many times. */
  const moves = (page: Page, selector: 'video' | '.live img', changes = 5) =>
    page.waitForFunction(
      ({ selector, changes }) => {
        const seen = window as unknown as { pictures?: Set<string> };
        const picture = document.querySelector(selector) as (HTMLVideoElement & HTMLImageElement) | null;
        if (!picture || !(picture.videoWidth || picture.naturalWidth)) return false;
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = 16;
        const context = canvas.getContext('2d')!;
        context.drawImage(picture, 0, 0, 16, 16);
        const pixels = context.getImageData(0, 0, 16, 16).data;
        if (pixels.every((value, i) => i % 4 === 3 || value < 8)) return false;
        seen.pictures ??= new Set();
        seen.pictures.add(pixels.join());
        return seen.pictures.size > changes;
      },
      { selector, changes },
      { polling: 100, timeout: 60_000 },
    );
  const forget = (page: Page) =>
    page.evaluate(() => {
      (window as unknown as { pictures?: Set<string> }).pictures = new Set();
    });

  test('one is tried and added, with words that help where its password is wrong', async () => {
    await withPage({}, async (page) => {
      await page.getByText('No camera yet').waitFor();
      await page.getByRole('button', { name: 'Add a camera' }).click();
      await page.getByLabel('Name').fill('Entrance');
      await page.getByLabel('RTSP address').fill(url('wrong'));
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByText('Check the user name and the password').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.getByLabel('RTSP address').fill(url());
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByText('The camera works: 320 × 240').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('heading', { name: 'Entrance' }).waitFor();
      assert.ok(!(await page.content()).includes(PASSWORD));
      await page
        .getByText(/^Live /)
        .first()
        .waitFor();
      await page.getByRole('heading', { name: 'In the picture' }).waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.getByRole('link', { name: 'Cameras' }).first().click();
      await page.locator('.camera-tile img').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.locator('.camera-tile').click();
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('button', { name: 'Delete it' }).click();
      await page.getByText('No camera yet').waitFor();
    });
  });

  test('without a media server it is seen as single pictures, and the page says why', async () => {
    await withPage({ MEDIASOUP_WORKER_BIN: '/nowhere/mediasoup-worker' }, async (page) => {
      await add(page);
      await page.getByText('Live as single pictures').waitFor();
      await moves(page, '.live img');
      await page.getByText('Why no better: MEDIASOUP_WORKER_BIN').waitFor();
    });
  });

  test('it is seen by WebRTC, moves, and comes back when the media worker is killed and when the camera is cut off', {
    skip: worker.reason,
  }, async () => {
    await withPage({ MEDIASOUP_WORKER_BIN: worker.path! }, async (page, server) => {
      await add(page);
      await page.getByText('Live by WebRTC').waitFor();
      await moves(page, 'video');

      const [pid] = server.live.mediaWorkers();
      process.kill(pid!, 'SIGKILL');
      await page.getByText('Trying again').waitFor();
      await page.getByText('Live by WebRTC').waitFor();
      await forget(page);
      await moves(page, 'video');
      assert.notEqual(server.live.mediaWorkers()[0], pid);

      camera.cutOff();
      await page.getByText('Trying again').waitFor();
      await page.getByText('Live by WebRTC').waitFor();
      await forget(page);
      await moves(page, 'video');
    });
  });
});
