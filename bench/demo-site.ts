/** A site with boards, a camera and people, as an operator would have it, played to a real server: for pictures of the page. */
import sharp from 'sharp';
import { readSample } from '../test/support/samples.ts';
import type { Box } from '../workers/protocol.ts';
import { setUpCameras } from './demo-cameras.ts';
import { BOARDS, type Board, FRAME, PEOPLE } from './demo-cast.ts';
import { holdClass } from './demo-class.ts';
import { createDemoClient } from './demo-client.ts';
import { cutOut, readPhoto } from './demo-photos.ts';
import type { OwnServer } from './own-server.ts';
import { capture, plainCapture } from './simulated-sensor.ts';

export interface DemoSite {
  /** Sends a frame of each board once more. */
  sendFrames(): Promise<void>;
  /** Of a camera that works; null where there is none. */
  readonly cameraUrl: string | null;
  close(): Promise<void>;
}

/** @param ffmpegPath null leaves the cameras, the class and the recordings out */
export async function playDemoSite(server: OwnServer, ffmpegPath: string | null): Promise<DemoSite> {
  const key = { 'X-API-Key': server.apiKey };
  const post = async (path: string, body: object) => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...key },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  let round = 0;

  async function sendFrame(board: Board, sentAt: number): Promise<void> {
    // As a board on a door hinge: the view drifts by a few pixels.
    const drift = { left: board.view.left + 2 * (sentAt % 4), top: board.view.top + (sentAt % 3) };
    const photo = sharp(await readSample(board.sample))
      .extract({ ...board.view, ...drift })
      .resize(FRAME.width, FRAME.height);
    const common = { 'X-Device-Id': board.id };
    const response = await (async () => {
      const url = `${server.url}/api/v1/stream/stream`;
      if (board.sensor === null) {
        const body = new Uint8Array(await photo.jpeg({ quality: 80 }).toBuffer());
        return fetch(url, { method: 'POST', body, headers: { ...common, 'Content-Type': 'image/jpeg' } });
      }
      const data = new Uint8Array(await photo.removeAlpha().raw().toBuffer());
      const taken = capture({ ...FRAME, data }, { ...plainCapture, ...board.sensor, seed: 1 + sentAt });
      return fetch(url, {
        method: 'POST',
        body: new Uint8Array(taken.bytes),
        headers: {
          ...common,
          ...board.headers,
          'Content-Type': 'application/octet-stream',
          'X-Frame-Width': String(FRAME.width),
          'X-Frame-Height': String(FRAME.height),
          'X-Frame-Format': 'RGB565',
        },
      });
    })();
    if (!response.ok) throw new Error(`${board.id}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }

  const sendFrames = async () => {
    for (const board of BOARDS) await sendFrame(board, round);
    round++;
  };

  await enrolPeople(server);
  for (const { id, name, wifiRssi } of BOARDS) {
    const capabilities = ['camera', 'temperature'];
    await post('/api/v1/devices/register', { deviceId: id, deviceName: name, capabilities });
    await post('/api/v1/devices/heartbeat', {
      deviceId: id,
      wifiRssi,
      uptime: 3600 * 31 + Math.abs(wifiRssi) * 517,
      freeHeap: 118_000 + wifiRssi * 311,
    });
  }
  const stopMeasuring = measure(post);
  for (let i = 0; i < 4; i++) await sendFrames();
  // A board that sends less than it says: what was wrong is told with it.
  await fetch(`${server.url}/api/v1/stream/stream`, {
    method: 'POST',
    body: new Uint8Array(1000),
    headers: {
      'Content-Type': 'application/octet-stream',
      'X-Device-Id': 'esp32-workshop',
      'X-Frame-Width': '640',
      'X-Frame-Height': '480',
      'X-Frame-Format': 'RGB565',
    },
  });
  const cameras = ffmpegPath === null ? null : await setUpCameras(server, post, ffmpegPath);
  const room = ffmpegPath === null ? null : await holdClass(server, post, ffmpegPath);
  if (ffmpegPath !== null)
    for (const deviceId of ['esp32-front-door', 'esp32-reception'])
      await post('/api/v1/stream/record', { deviceId });
  return {
    sendFrames,
    cameraUrl: cameras?.url ?? null,
    async close() {
      stopMeasuring();
      await cameras?.close();
      await room?.close();
    },
  };
}

async function facesFromTheLeft(server: OwnServer, jpeg: Buffer): Promise<Box[]> {
  const faces = await createDemoClient(server.url, server.apiKey).recognise(jpeg);
  return faces.map(({ box }) => box).sort((a, b) => a.x - b.x);
}

async function enrolPeople(server: OwnServer): Promise<void> {
  const client = createDemoClient(server.url, server.apiKey);
  for (const { name, sample, face } of PEOPLE) {
    const photo = await readPhoto(await readSample(sample));
    const boxes = await facesFromTheLeft(server, photo.jpeg);
    const box = boxes[face]!;
    const refused = await client.enrol(
      name,
      await cutOut(
        photo,
        box,
        boxes.filter((other) => other !== box),
      ),
    );
    if (refused !== null) process.stderr.write(`${name} could not be enrolled: ${refused}\n`);
  }
}

/** A board that measures twice a second. @returns how to stop it */
function measure(post: (path: string, body: object) => Promise<void>): () => void {
  let i = 0;
  const timer = setInterval(() => {
    i++;
    void post('/api/v1/ingest/sensor-data', {
      deviceId: 'esp32-reception',
      timestamp: Date.now(),
      temperature: Math.round(10 * (21.6 + 1.4 * Math.sin(i / 24) + 0.2 * Math.sin(i * 2.1))) / 10,
      humidity: Math.round(46 + 5 * Math.cos(i / 30) + Math.sin(i * 1.3)),
      light: { lux: Math.round(320 + 90 * Math.sin(i / 19)) },
      // The last one may meet a server that is stopping.
    }).catch(() => {});
  }, 500);
  return () => clearInterval(timer);
}
