import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { seriousFindings } from '../support/axe.ts';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { makeFaceClip, PERSON_A } from '../support/clips.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const { program, reason } = await ffmpegOrReason();

describe('the webcam', { skip: noBrowser || reason }, () => {
  let server: TestServer;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-test-webcam-'));
    server = await startTestServer();
  });
  after(async () => {
    await server?.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  async function clipOf(name: string, filter?: string): Promise<string> {
    return makeFaceClip(program!.path, {
      path: join(folder, `${name}.mjpeg`),
      face: PERSON_A,
      durationS: 6,
      filter,
      codec: 'mjpeg',
      format: 'mjpeg',
      pixelFormat: 'yuvj420p',
    });
  }

  const fakeCamera = (clip: string) => [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${clip}`,
  ];

  test('takes the picture by itself once somebody holds still, enrols it, and shows what the server says', async (t) => {
    const browser = await openBrowser(server, { flags: fakeCamera(await clipOf('good')) });
    try {
      const page = await browser.open('/#/people/of/Ada');
      await page.getByLabel('Webcam').check();
      await page.getByText('Faces are looked for in this browser').waitFor({ timeout: 120_000 });
      await page.getByText('Good. Stay like this').waitFor({ timeout: 60_000 });
      await page.getByText('Enrolled', { exact: true }).waitFor({ timeout: 60_000 });
      assert.deepEqual(await seriousFindings(page), []);
      await page.getByText('1 picture, since').waitFor();
      assert.deepEqual(server.gallery.size(), { persons: 1, pictures: 1 });
      const loaded = await page.evaluate(() =>
        performance.getEntriesByType('resource').map(({ name }) => name),
      );
      t.diagnostic(`${loaded.length} files loaded by the page itself`);
      assert.deepEqual(browser.complaints, []);
    } finally {
      await browser.close();
    }
  });

  test('says what is wrong before it takes anything: too dark, too far away', async () => {
    for (const [name, filter, advice] of [
      ['dark', 'lutyuv=y=val*0.32:u=(val-128)*0.32+128:v=(val-128)*0.32+128', 'More light on the face'],
      ['far', 'scale=560:315,pad=1280:720:360:202', 'Come closer'],
    ] as const) {
      const browser = await openBrowser(server, { flags: fakeCamera(await clipOf(name, filter)) });
      try {
        const page = await browser.open('/#/people/of/Nobody');
        await page.getByLabel('Webcam').check();
        await page.getByText(advice).waitFor({ timeout: 120_000 });
        assert.equal(await page.getByText('Not enrolled yet').isVisible(), true);
        assert.deepEqual(browser.complaints, []);
      } finally {
        await browser.close();
      }
    }
  });

  test('a permission that was refused is told with what to do, and uploading is offered', async () => {
    const browser = await openBrowser(server, { flags: ['--deny-permission-prompts'] });
    try {
      const page = await browser.open('/#/people/of/Nobody');
      await page.getByLabel('Webcam').check();
      await page.getByText('The webcam cannot be used').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.getByRole('button', { name: 'Upload pictures instead' }).click();
      await page.getByRole('button', { name: 'Choose pictures' }).waitFor();
    } finally {
      await browser.close();
    }
  });

  test('over plain http from another machine it is not offered, and the page says why', async () => {
    const browser = await openBrowser(server, {
      flags: ['--host-resolver-rules=MAP facepool.test 127.0.0.1'],
    });
    try {
      const page = await browser.open();
      await page.goto(server.signInLink().replace(/^http:\/\/[^/]+/, `http://facepool.test:${server.port}`));
      await page.getByRole('navigation', { name: 'Views' }).waitFor();
      await page.goto(`http://facepool.test:${server.port}/#/people/of/Nobody`);
      await page.getByLabel('Webcam').check();
      await page.getByText('The webcam is not offered here').waitFor();
      await page.getByText(/open this page by https/).waitFor();
      assert.deepEqual(await seriousFindings(page), []);
    } finally {
      await browser.close();
    }
  });
});
