/** What a wall of many boards costs the browser that shows it: processor time of all its processes, and tasks that hold up the page. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { noBrowser, openBrowser, type TestBrowser } from '../test/support/browser.ts';
import { readSample } from '../test/support/samples.ts';
import { wholeNumber } from './command-line.ts';
import { type Reporter, spreadFigure, verify } from './harness.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';
import { samplePhotoCount } from './sample-photos.ts';

export const title = 'the page with 50 boards at 2 frames/s each';

const BOARDS = 50;
const FRAMES_PER_SECOND = 2;
const MAX_CORES = 1 / 3;
const LONG_TASK_MS = 100;

interface Size {
  readonly width: number;
  readonly height: number;
  /** Whether the promise is about frames of this size. */
  readonly promised: boolean;
}

/** What the sketch for the ESP32-CAM sends, and four times as many pixels. */
const SIZES: readonly Size[] = [
  { width: 320, height: 240, promised: true },
  { width: 640, height: 480, promised: false },
];
const WARM_UP_MS = 6000;
/** All of the tiles are in sight, so all of the pictures are loaded and drawn. */
const VIEWPORT = { width: 1920, height: 1200 };

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  if (noBrowser !== false) {
    reporter.skip(noBrowser);
    return;
  }
  const repeats = wholeNumber(options, 'repeats', 3, 1, 50);
  const seconds = wholeNumber(options, 'seconds', 10, 1, 3600);
  reporter.note(
    `${BOARDS} boards, JPEG, no recognition; Chromium without GPU, window of ${VIEWPORT.width} x ${VIEWPORT.height}, the server beside it`,
  );
  const server = await startOwnServer({ settings: { WORKER_THREADS: '1', LOG_LEVEL: 'error' } });
  const browser = await openBrowser(server, { viewport: VIEWPORT });
  try {
    await browser.context.addInitScript(countShown);
    const page = await browser.open();
    for (const size of SIZES) {
      const playing = play(server, size, await pictures(size));
      try {
        await page
          .locator('.tile canvas')
          .nth(BOARDS - 1)
          .waitFor();
        await pause(WARM_UP_MS);
        await measure(reporter, size, { browser, page, repeats, seconds });
      } finally {
        playing.stop();
      }
    }
    verify(browser.complaints.length === 0, browser.complaints.join('; '));
  } finally {
    await browser.close();
    await server.dispose();
  }
}

interface Measuring {
  readonly browser: TestBrowser;
  readonly page: Page;
  readonly repeats: number;
  readonly seconds: number;
}

async function measure(reporter: Reporter, { width, height, promised }: Size, on: Measuring): Promise<void> {
  const { browser, page, repeats, seconds } = on;
  await observeLongTasks(page);
  const cores: number[] = [];
  const rates: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const [cpuBefore, shownBefore] = [await browser.cpuSeconds(), await readShown(page)];
    const startedMs = performance.now();
    await pause(seconds * 1000);
    const [cpuAfter, shownAfter] = [await browser.cpuSeconds(), await readShown(page)];
    const elapsedS = (performance.now() - startedMs) / 1000;
    cores.push((cpuAfter - cpuBefore) / elapsedS);
    rates.push((shownAfter - shownBefore) / elapsedS);
  }
  const longTasksMs = await readLongTasks(page);
  const least = 0.9 * BOARDS * FRAMES_PER_SECOND;
  verify(
    Math.min(...rates) >= least,
    `at least ${least} pictures/s were shown, not ${Math.min(...rates).toFixed(1)}`,
  );
  const name = `${width} x ${height}`;
  const longest = Math.max(0, ...longTasksMs);
  reporter.add(spreadFigure(`${name}: pictures shown`, 'pictures/s', rates));
  reporter.add(
    spreadFigure(
      `${name}: processor time of the browser`,
      'cores',
      cores,
      promised ? { atMost: MAX_CORES } : undefined,
    ),
  );
  reporter.add({
    name: `${name}: longest task of the page (0: none over 50 ms)`,
    unit: 'ms',
    value: longest,
    target: { atMost: LONG_TASK_MS },
  });
}

/** Each board shows people of a sample photo, cut a little differently every time. */
async function pictures({ width, height }: Size): Promise<Buffer[]> {
  const made: Buffer[] = [];
  for (let sample = 1; sample <= samplePhotoCount; sample++) {
    const photo = sharp(await readSample(sample)).resize(Math.round(width * 1.1), Math.round(height * 1.1), {
      fit: 'cover',
    });
    const whole = await photo.toBuffer();
    for (let shift = 0; shift < 8; shift++)
      made.push(
        await sharp(whole)
          .extract({ left: shift * 4, top: shift * 2, width, height })
          .jpeg({ quality: 85 })
          .toBuffer(),
      );
  }
  return made;
}

/** Stores and tells frames as the route of the boards does, evenly over each second. */
function play(server: OwnServer, { width, height }: Size, jpegs: readonly Buffer[]): { stop(): void } {
  let sent = 0;
  const box = { x: 0.2 * width, y: 0.2 * height, width: 0.12 * width, height: 0.2 * height };
  const face = { box, recognizedAs: 'Somebody', similarity: 0.9 };
  const send = async () => {
    const number = sent++;
    const deviceId = `board-${(number % BOARDS) + 1}`;
    const round = Math.floor(number / BOARDS);
    const jpeg = jpegs[((number % BOARDS) * 8 + (round % 8)) % jpegs.length]!;
    const { name, createdAt } = await server.frames.store(deviceId, jpeg, null);
    const recognition = { status: 'no_faces', recognizedAs: null, confidence: 0, error: null } as const;
    server.frameEvents.stored(
      { deviceId, ipAddress: '127.0.0.1' },
      { deviceId, filename: name, url: `/data/${name}`, recognition },
      {
        createdAt,
        width,
        height,
        faces: number % 2 === 0 ? [face] : [],
        enhancement: null,
        sensor: {},
        warnings: [],
        original: null,
      },
    );
  };
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * BOARDS * FRAMES_PER_SECOND;
    while (sent < due) void send();
  }, 10);
  return { stop: () => clearInterval(timer) };
}

/** Counts in the page itself: a picture counts once it is drawn. */
const countShown = () => {
  const counter = { shown: 0 };
  Object.assign(globalThis, { counter });
  const { transferFromImageBitmap } = ImageBitmapRenderingContext.prototype;
  ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
    counter.shown++;
    transferFromImageBitmap.call(this, bitmap);
  };
};

const readShown = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { counter: { shown: number } }).counter.shown);

const observeLongTasks = (page: Page) =>
  page.evaluate(() => {
    const kept: number[] = [];
    Object.assign(globalThis, { longTasksMs: kept });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) kept.push(duration);
    }).observe({ type: 'longtask' });
  });

const readLongTasks = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { longTasksMs: number[] }).longTasksMs);
