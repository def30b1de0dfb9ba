import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

type Rgb = readonly [number, number, number];

const BOARDS = 12;
const FRAMES = 3;
/** Far enough from each other, whatever JPEG and scaling make of them. */
const colourOf = (board: number, frame: number): Rgb => [60 * frame + 40, 255 - 18 * board, 18 * board];
const NEAR = 8;

/** Browsers give a page a decoder of JPEG where it is secure, as `localhost` is and a name in a network is not. */
for (const { host, isSecure } of [
  { host: '127.0.0.1', isSecure: true },
  { host: 'wall.test', isSecure: false },
])
  describe(`the wall at ${host}`, { skip: noBrowser, timeout: 90_000 }, () => {
    let server: TestServer;
    let browser: TestBrowser;
    let page: Page;
    before(async () => {
      server = await startTestServer();
      const url = `http://${host}:${new URL(server.url).port}`;
      browser = await openBrowser(
        { url, signInLink: () => server.signInLink() },
        // All of the tiles are in sight.
        { viewport: { width: 1600, height: 1200 }, flags: [`--host-resolver-rules=MAP ${host} 127.0.0.1`] },
      );
      page = await browser.open();
      assert.equal(await page.evaluate('typeof ImageDecoder !== "undefined"'), isSecure);
    });
    after(async () => {
      await browser?.close();
      await server?.dispose();
      assert.deepEqual(browser?.complaints ?? [], []);
    });

    const tileOf = (board: string): Locator =>
      page.getByRole('listitem').filter({ has: page.getByText(board, { exact: true }) });

    async function send(board: string, jpeg: Buffer): Promise<void> {
      const response = await server.call('/api/v1/stream/stream', {
        method: 'POST',
        body: new Uint8Array(jpeg),
        headers: { 'Content-Type': 'image/jpeg', 'X-Device-Id': board },
      });
      assert.equal(response.status, 200);
      await response.arrayBuffer();
    }

    async function expectColours(board: string, ...wanted: readonly [at: number, colour: Rgb][]) {
      for (const [at, colour] of wanted)
        await until(async () => {
          const shown = await pixel(tileOf(board), at);
          return shown?.every((value, i) => Math.abs(value - colour[i]!) <= NEAR) ?? false;
        });
    }

    test('frames that come faster than they are drawn: of every board the newest is shown in the end', async () => {
      for (let frame = 0; frame < FRAMES; frame++)
        await Promise.all(
          Array.from({ length: BOARDS }, async (_, i) => send(`board-${i}`, await plain(colourOf(i, frame)))),
        );
      for (let i = 0; i < BOARDS; i++) await expectColours(`board-${i}`, [0.5, colourOf(i, FRAMES - 1)]);
      // Drawn by hand, and told all the same.
      await tileOf('board-3').getByRole('img', { name: 'board-3: nobody in the picture' }).waitFor();
    });

    test('a tile that a search took away shows the newest picture when it is back', async () => {
      await page.getByLabel('Find by name').fill('board-1');
      await tileOf('board-5').waitFor({ state: 'detached' });
      await send('board-5', await plain([10, 20, 230]));
      await page.getByLabel('Find by name').fill('');
      await expectColours('board-5', [0.5, [10, 20, 230]]);
    });

    test('a picture is turned as its file says, and one of another shape changes the shape of its tile', async () => {
      const [left, right]: readonly Rgb[] = [
        [200, 30, 30],
        [30, 30, 200],
      ];
      // Half and half from top to bottom in the file, from right to left as it is to be seen.
      const file = await sharp({ create: { width: 240, height: 320, channels: 3, background: rgb(right!) } })
        .composite([
          {
            input: { create: { width: 240, height: 160, channels: 3, background: rgb(left!) } },
            gravity: 'south',
          },
        ])
        .withMetadata({ orientation: 6 })
        .jpeg({ quality: 95 })
        .toBuffer();
      await send('board-5', file);
      await expectColours('board-5', [0.2, left!], [0.8, right!]);
      await send('board-5', await plain([90, 160, 20], 240, 320));
      await expectColours('board-5', [0.5, [90, 160, 20]]);
      await until(async () => {
        const box = await tileOf('board-5').locator('canvas').boundingBox();
        return box !== null && Math.abs(box.height / box.width - 4 / 3) < 0.05;
      });
    });
  });

const rgb = ([r, g, b]: Rgb) => ({ r, g, b });

const plain = (colour: Rgb, width = 320, height = 240): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: rgb(colour) } })
    .jpeg({ quality: 95 })
    .toBuffer();

/** @param at how far from the left, half way down; null where nothing is drawn yet */
async function pixel(tile: Locator, at: number): Promise<number[] | null> {
  const canvas = tile.locator('canvas');
  if ((await canvas.count()) === 0) return null;
  return canvas.evaluate((shown, share) => {
    const { width, height } = shown as HTMLCanvasElement;
    const copy = new OffscreenCanvas(width, height).getContext('2d')!;
    copy.drawImage(shown as HTMLCanvasElement, 0, 0);
    return [...copy.getImageData(Math.floor(share * width), height >> 1, 1, 1).data.slice(0, 3)];
  }, at);
}
