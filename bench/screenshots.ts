/**
 * `npm run screenshots`: takes every view of the page, light and dark, on a desktop and on a phone, from a server with a small site played
 * to it. With `-- --readme` a few of them also go, compressed, to where the README shows them.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { noBrowser, openBrowser, type TestBrowser } from '../test/support/browser.ts';
import { makeFaceClip, PERSON_A } from '../test/support/clips.ts';
import { ffmpegOrReason } from '../test/support/ffmpeg.ts';
import { mediaWorkerOrReason } from '../test/support/media-worker.ts';
import { samplePath } from '../test/support/samples.ts';
import { type DemoSite, playDemoSite } from './demo-site.ts';
import { startOwnServer } from './own-server.ts';
import { findYunet, PROJECT_FOLDER } from './selections.ts';

const OUTPUT = join(PROJECT_FOLDER, 'screenshots-out');
const README_FOLDER = join(PROJECT_FOLDER, 'server/dashboard/screenshots');

interface Shot {
  readonly name: string;
  /** Behind `#`. */
  readonly path: string;
  /** What has to be there before the picture is taken. */
  readonly ready: string;
  readonly prepare?: (page: Page, site: DemoSite) => Promise<void>;
  /** Into the README as well: of the desktop, light. */
  readonly inReadme?: boolean;
}

const SHOTS: readonly Shot[] = [
  {
    name: 'wall',
    path: 'wall',
    ready: '.tile .face-box',
    inReadme: true,
    // The last picture of the camera may be being looked at.
    prepare: async (page, { cameraUrl }) => {
      if (cameraUrl === null) return;
      const entrance = page.locator('.tile', { hasText: 'Entrance' });
      await entrance.locator('.face-box').first().waitFor();
    },
  },
  { name: 'live', path: 'wall/device/esp32-front-door', ready: '.detail-picture img' },
  {
    name: 'before-and-after',
    path: 'wall/device/esp32-reception/compare',
    ready: '.compare img',
    inReadme: true,
  },
  { name: 'history', path: 'wall/device/esp32-staircase/history', ready: '.thumb img' },
  { name: 'cameras', path: 'cameras', ready: '.camera-tile img' },
  {
    name: 'camera',
    path: 'cameras/1',
    ready: '.live',
    prepare: (page) =>
      page
        .locator('.live')
        .getByText(/^Live /)
        .waitFor({ timeout: 60_000 }),
  },
  { name: 'camera-in-trouble', path: 'cameras/3', ready: '.notice.bad' },
  {
    name: 'camera-form',
    path: 'cameras',
    ready: '.camera-tile img',
    prepare: async (page, { cameraUrl }) => {
      await page.getByRole('button', { name: 'Add a camera' }).click();
      await page.getByLabel('Name').fill('Meeting room');
      await page.getByLabel('RTSP address').fill(cameraUrl!);
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByText('The camera works').waitFor();
    },
  },
  { name: 'people', path: 'people', ready: '.person img' },
  { name: 'person', path: 'people/of/Lina%20Ortega', ready: '.pictures img' },
  {
    name: 'who-is-this',
    path: 'people/who-is-this',
    ready: '.drop',
    inReadme: true,
    prepare: async (page) => {
      await page.locator('input[type=file]').first().setInputFiles(samplePath(6));
      await page.getByRole('heading', { name: /faces found/ }).waitFor();
    },
  },
  {
    name: 'webcam',
    path: 'people/of/Somebody%20New',
    ready: '.way',
    prepare: async (page) => {
      await page.getByLabel('Webcam').check();
      await page.locator('.outline').first().waitFor({ timeout: 60_000 });
    },
  },
  { name: 'attendance', path: 'attendance', ready: '.slot', inReadme: true },
  { name: 'recordings', path: 'recordings', ready: '.recording' },
  { name: 'devices', path: 'devices', ready: 'tbody tr' },
  { name: 'device', path: 'devices/esp32-reception', ready: '.plot', inReadme: true },
  {
    name: 'confirm',
    path: 'devices/esp32-reception',
    ready: '.plot',
    prepare: (page) => page.getByRole('button', { name: 'Restart' }).click(),
  },
];

const SCREENS = {
  desktop: { viewport: { width: 1360, height: 850 } },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
} as const;

/** The media server is on this machine as well. */
const MEDIA_FLAGS = ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'];

if (noBrowser !== false) {
  process.stderr.write(`no pictures: ${noBrowser}\n`);
  process.exit(1);
}
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const forReadme = process.argv.includes('--readme');
const shots = SHOTS.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
await rm(OUTPUT, { recursive: true, force: true });
await mkdir(OUTPUT, { recursive: true });

const yunet = await findYunet();
const { path: mediaWorker } = mediaWorkerOrReason();
const server = await startOwnServer({
  modelPaths: yunet ? [yunet.detector.path!] : [],
  settings: {
    ALLOWED_URL_HOSTS: '127.0.0.1',
    SERVICE_NAME: 'Main building',
    LOG_LEVEL: 'error',
    ...(mediaWorker === null ? {} : { MEDIASOUP_WORKER_BIN: mediaWorker }),
  },
});
try {
  const { program } = await ffmpegOrReason();
  const site = await playDemoSite(server, program?.path ?? null);
  try {
    for (const [screen, options] of Object.entries(SCREENS))
      for (const colorScheme of ['light', 'dark'] as const) {
        const browser = await openBrowser(server, {
          ...options,
          colorScheme,
          reducedMotion: 'reduce',
          flags: [...MEDIA_FLAGS, ...(await fakeCamera(program?.path ?? null))],
        });
        try {
          await site.sendFrames();
          await takeAll(browser, site, `${screen}-${colorScheme}`);
        } finally {
          await browser.close();
        }
      }
  } finally {
    await site.close();
  }
} finally {
  await server.dispose();
}
process.stdout.write(`${shots.length} views, 4 times each: ${OUTPUT}\n`);

async function takeAll(browser: TestBrowser, site: DemoSite, kind: string): Promise<void> {
  if (wanted.length === 0) await takeSignIn(browser, kind);
  const page = await browser.open();
  for (const { name, path, ready, prepare, inReadme } of shots) {
    await page.goto(`/#/${path}`);
    await page.locator(ready).first().waitFor();
    await prepare?.(page, site);
    await settle(page);
    const png = await page.screenshot();
    await sharp(png)
      .png({ palette: true })
      .toFile(join(OUTPUT, `${name}-${kind}.png`));
    if (!forReadme || !inReadme || kind !== 'desktop-light') continue;
    await mkdir(README_FOLDER, { recursive: true });
    await sharp(png)
      .webp({ quality: 82 })
      .toFile(join(README_FOLDER, `${name}.webp`));
  }
  for (const complaint of browser.complaints) process.stderr.write(`${kind}: ${complaint}\n`);
}

async function takeSignIn(browser: TestBrowser, kind: string): Promise<void> {
  const cookies = await browser.context.cookies();
  await browser.context.clearCookies();
  const page = await browser.open();
  await page.getByLabel('API key').waitFor();
  await page.screenshot({ path: join(OUTPUT, `sign-in-${kind}.png`) });
  await page.close();
  await browser.context.addCookies(cookies);
}

/** A clip in place of a webcam, of somebody who is too far away to be enrolled: the advice can be read. */
async function fakeCamera(ffmpegPath: string | null): Promise<string[]> {
  if (ffmpegPath === null) return [];
  const path = join(OUTPUT, 'webcam.mjpeg');
  const format = { codec: 'mjpeg', format: 'mjpeg', pixelFormat: 'yuvj420p' };
  const filter = 'scale=560:315,pad=1280:720:360:202';
  if (!existsSync(path)) await makeFaceClip(ffmpegPath, { path, face: PERSON_A, filter, ...format });
  return [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${path}`,
  ];
}

/** Pictures that are on their way are waited for, but for those of a camera without end. */
async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.images].every(
      (image) => image.loading === 'lazy' || image.complete || image.src.includes('/mjpeg'),
    ),
  );
  await page.waitForTimeout(700);
}
