import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeRoomClip } from '../support/attendance-bed.ts';
import { seriousFindings } from '../support/axe.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { STUDENT, startClassSession } from '../support/class-session.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const { program, reason } = await ffmpegOrReason();

describe('attendance on the page', { skip: reason || noBrowser, timeout: 180_000 }, () => {
  let camera: RtspServer;
  let server: TestServer;
  let browser: TestBrowser;
  before(async () => {
    camera = await RtspServer.start({ clip: await makeRoomClip(program!) });
    server = await startTestServer({ MEDIASOUP_WORKER_BIN: '/nowhere/media' });
    browser = await openBrowser(server);
  });
  after(async () => {
    await browser?.close();
    await server?.dispose();
    await camera?.close();
    assert.deepEqual(browser?.complaints ?? [], []);
  });

  test('a slot shows who was seen as it happens, and which of its cameras gives nothing', async () => {
    const page = await browser.open('/#/attendance');
    await page.getByText('No slot runs').waitFor();
    await startClassSession(server, [
      { id: 1, name: 'Front', rtspUrl: camera.url() },
      { id: 2, name: 'Door', rtspUrl: 'rtsp://127.0.0.1:9/stream' },
    ]);
    const slot = page.locator('.slot');
    await slot.getByText(STUDENT).first().waitFor();
    await slot.getByText('Door').waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.close();
  });

  test('its cameras are on the wall and in their list with the student in their pictures', async () => {
    const page = await browser.open('/#/wall');
    const tile = page.getByRole('listitem').filter({ hasText: 'Front' });
    await tile.locator('.face-box').getByText(STUDENT).waitFor();
    await page.goto('/#/cameras');
    await page.locator('.camera-tile').filter({ hasText: STUDENT }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.close();
  });

  test('a page that loads needs no scan to show the faces in the last pictures: the list of cameras has them', async () => {
    const page = await browser.context.newPage();
    // Of each scan that ends it would tell. The list is asked for again where it came while a scan was under way.
    await page.routeWebSocket('**/ws?page=1', () => {});
    await page.goto('/#/wall');
    const tile = page.getByRole('listitem').filter({ hasText: 'Front' });
    await tile.locator('.face-box').getByText(STUDENT).waitFor();
    await page.close();
  });
});
