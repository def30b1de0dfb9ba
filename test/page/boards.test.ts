import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousFindings } from '../support/axe.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { boardFrame, daylightPortrait } from '../support/pictures.ts';
import { formWith, startTestServer, type TestServer } from '../support/server.ts';

const { reason: noFfmpeg } = await ffmpegOrReason();

describe('the page with a board', { skip: noBrowser, timeout: 240_000 }, () => {
  let server: TestServer;
  let browser: TestBrowser;
  before(async () => {
    server = await startTestServer();
    browser = await openBrowser(server);
    const form = formWith('image', await daylightPortrait(), { name: 'Ada' });
    const enrolled = await server.call('/api/v1/recognition/add-permitted-face', {
      method: 'POST',
      body: form,
    });
    assert.equal(enrolled.status, 200);
  });
  after(async () => {
    await browser?.close();
    await server?.dispose();
    assert.deepEqual(browser?.complaints ?? [], []);
  });

  async function sendFrame(): Promise<void> {
    const response = await server.call('/api/v1/stream/stream', {
      method: 'POST',
      body: new Uint8Array(await boardFrame()),
      headers: {
        'Content-Type': 'application/octet-stream',
        'X-Device-Id': 'door-1',
        'X-Frame-Width': '320',
        'X-Frame-Height': '240',
        'X-Frame-Format': 'RGB565',
        'X-Sensor-Model': 'OV2640',
      },
    });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
  }

  async function expectNoTroubles(page: Page): Promise<void> {
    assert.deepEqual(await seriousFindings(page), []);
  }

  test('an empty wall says what to do; a raw frame appears by itself, with the name over the face', async () => {
    const page = await browser.open();
    await page.getByText('No board or camera yet').waitFor();
    await expectNoTroubles(page);
    await sendFrame();
    const tile = page.getByRole('listitem').filter({ hasText: 'door-1' });
    await tile.locator('.face-box').getByText('Ada').waitFor();
    const picture = await tile.locator('canvas').boundingBox();
    const face = await tile.locator('.face-box').boundingBox();
    assert.ok(picture !== null && face !== null);
    assert.ok(face.x > picture.x && face.x + face.width < picture.x + picture.width);
    assert.ok(face.y > picture.y && face.y + face.height < picture.y + picture.height);
    await page.getByRole('link', { name: /Ada/ }).first().waitFor();
    await expectNoTroubles(page);
    await page.close();
  });

  test('a tile opens: the live picture, the stored frames, and what is known of the board', async () => {
    await sendFrame();
    const page = await browser.open('/#/wall');
    await page
      .getByRole('link', { name: /door-1/ })
      .last()
      .click();
    await page.getByRole('heading', { name: 'In the picture' }).waitFor();
    await page.getByText(/similarity [01]\.\d\d/).waitFor();
    await expectNoTroubles(page);
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.thumb').first().click();
    await page.getByRole('dialog').getByRole('img').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expectNoTroubles(page);

    await page.locator('.thumb').last().click();
    await page.getByRole('button', { name: 'Enrol a face of this picture' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Ada of the door');
    await expectNoTroubles(page);
    await dialog.getByRole('button', { name: 'Enrol', exact: true }).click();
    await page.getByRole('dialog', { name: 'Ada of the door is enrolled' }).waitFor();
    const people = await server.call('/api/v1/recognition/permitted-faces');
    assert.match(await people.text(), /Ada of the door/);
    await server.call('/api/v1/recognition/permitted-faces/Ada%20of%20the%20door', { method: 'DELETE' });
    await page.close();
  });

  test('before and after lie under a slider that the keyboard moves, with what was estimated in words', async () => {
    await sendFrame();
    const page = await browser.open('/#/wall/device/door-1/compare');
    const slider = page.getByRole('slider');
    await slider.focus();
    const clip = () => page.locator('.compare .before').evaluate((image) => getComputedStyle(image).clipPath);
    const middle = await clip();
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    assert.notEqual(await clip(), middle);
    assert.equal(await slider.getAttribute('aria-valuetext'), '60 % as sent, 40 % enhanced');
    await page.keyboard.press('End');
    assert.equal(await slider.inputValue(), '100');
    const sizes = await page
      .locator('.compare img')
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
    assert.deepEqual(sizes, [320, 320]);
    await page.getByText(/^Noise: .* estimated from the frame itself/).waitFor();
    await page.getByText('Model: OV2640').waitFor();
    await expectNoTroubles(page);
    await page.close();
  });

  test('the last half minute is recorded, played, and deleted once that is confirmed', {
    skip: noFfmpeg,
  }, async () => {
    for (let i = 0; i < 3; i++) await sendFrame();
    const page = await browser.open('/#/recordings');
    await page.getByText('No recording yet').waitFor();
    await page.getByRole('combobox').selectOption('door-1');
    await page.getByRole('button', { name: 'Record', exact: true }).click();
    await page.getByRole('button', { name: /^Play door-1/ }).click();
    const video = page.getByRole('dialog').locator('video');
    await video.evaluate(
      (element: HTMLVideoElement) =>
        new Promise<void>((resolve, reject) => {
          const settle = () => element.currentTime > 0 && resolve();
          element.addEventListener('timeupdate', settle);
          element.addEventListener('error', () => reject(new Error(element.error?.message)));
          settle();
        }),
    );
    await expectNoTroubles(page);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Delete door-1/ }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('No recording yet').waitFor();
    await expectNoTroubles(page);
    await page.close();
  });

  test('a board is told to restart, shows it, and its measurements become plots', async () => {
    const send = (path: string, body: object) =>
      server.call(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    await send('/api/v1/devices/register', { deviceId: 'door-1', deviceName: 'Front door' });
    await send('/api/v1/devices/heartbeat', {
      deviceId: 'door-1',
      wifiRssi: -61,
      freeHeap: 120_000,
      uptime: 7200,
    });
    const page = await browser.open('/#/devices');
    await page.getByText('good', { exact: false }).first().waitFor();
    await expectNoTroubles(page);
    await page.getByRole('link', { name: 'Front door' }).click();
    await page.getByText('None in this time').waitFor();
    for (const temperature of [20, 21, 22.5])
      await send('/api/v1/ingest/sensor-data', { deviceId: 'door-1', timestamp: 1, temperature });
    await page.getByRole('img', { name: 'temperature: now 22.5, least 20, most 22.5, 3 values' }).waitFor();
    await expectNoTroubles(page);
    await page.getByRole('button', { name: 'Restart' }).click();
    await expectNoTroubles(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
    await page.getByText('Restarting').waitFor();
    const beat = await send('/api/v1/devices/heartbeat', { deviceId: 'door-1' });
    const { commands } = (await beat.json()) as { commands: { command: string }[] };
    assert.deepEqual(
      commands.map(({ command }) => command),
      ['restart'],
    );
    await page.close();
  });

  test('attendance without a slot says what starts one', async () => {
    const page = await browser.open('/#/attendance');
    await page.getByText(/No slot runs|Attendance is not available here/).waitFor();
    await expectNoTroubles(page);
    await page.close();
  });
});

describe('the page on its own', { skip: noBrowser, timeout: 240_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server?.dispose());

  test('everything before the first picture weighs at most 200 KB compressed', async () => {
    const browser = await openBrowser(server);
    try {
      const page = await browser.context.newPage();
      let bytes = 0;
      const client = await browser.context.newCDPSession(page);
      await client.send('Network.enable');
      // The sign-in of this browser has loaded it all once.
      await client.send('Network.setCacheDisabled', { cacheDisabled: true });
      client.on('Network.loadingFinished', ({ encodedDataLength }) => {
        bytes += encodedDataLength;
      });
      await page.goto('/');
      await page.getByText('No board or camera yet').waitFor();
      assert.ok(bytes > 5000, `${bytes} bytes: the measure misses something`);
      assert.ok(bytes <= 200_000, `${bytes} bytes`);
    } finally {
      await browser.close();
    }
  });

  test('on a phone of 360 px nothing is wider than the screen, in the light and in the dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const browser = await openBrowser(server, {
        viewport: { width: 360, height: 740 },
        isMobile: true,
        hasTouch: true,
        colorScheme,
      });
      try {
        const page = await browser.open();
        for (const view of ['wall', 'attendance', 'recordings', 'devices']) {
          // The search for findings looks at other sizes as well.
          await page.setViewportSize({ width: 360, height: 740 });
          await page.goto(`/#/${view}`);
          await page.getByRole('heading', { level: 2 }).first().waitFor();
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= 360, `${view} is ${width} px wide`);
          assert.deepEqual(await seriousFindings(page), []);
        }
      } finally {
        await browser.close();
      }
    }
  });

  test('the keyboard gets everywhere: past the navigation, into a view, and back', async () => {
    const browser = await openBrowser(server);
    try {
      const page = await browser.open();
      await page.getByText('No board or camera yet').waitFor();
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'MAIN');
      await page.getByRole('link', { name: 'Devices' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Devices' }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'MAIN');
      assert.match(await page.title(), /^Devices/);
      await page.goBack();
      await page.getByRole('heading', { name: 'Wall' }).waitFor();
    } finally {
      await browser.close();
    }
  });
});
