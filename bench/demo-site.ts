/** A site with boards, a camera and people, as an operator would have it, played to a real server: for pictures of the page. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { startBackend } from '../test/support/backend.ts';
import { makeH264Clip } from '../test/support/h264-clip.ts';
import { RtspServer } from '../test/support/rtsp-server.ts';
import { readSample, samplePath } from '../test/support/samples.ts';
import type { Box } from '../workers/protocol.ts';
import { createDemoClient } from './demo-client.ts';
import { cutOut, readPhoto } from './demo-photos.ts';
import type { OwnServer } from './own-server.ts';
import { type CaptureSettings, capture, plainCapture } from './simulated-sensor.ts';

export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Board {
  readonly id: string;
  readonly name: string;
  readonly sample: number;
  /** What it sees of the sample photo; 4 to 3. */
  readonly view: Region;
  /** Null for a board that sends JPEG. */
  readonly sensor: Partial<CaptureSettings> | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly wifiRssi: number;
}

const FRAME = { width: 640, height: 480 };

const BOARDS: readonly Board[] = [
  {
    id: 'esp32-front-door',
    name: 'Front door',
    sample: 6,
    view: { left: 120, top: 240, width: 840, height: 630 },
    sensor: { gain: 4, exposure: 0.7, illuminant: 'fluorescent' },
    wifiRssi: -58,
  },
  {
    id: 'esp32-reception',
    name: 'Reception',
    sample: 3,
    view: { left: 960, top: 110, width: 860, height: 645 },
    sensor: { gain: 8, exposure: 0.45, illuminant: 'tungsten' },
    headers: { 'X-Sensor-Model': 'OV2640', 'X-Sensor-Gain': '8', 'X-Sensor-Exposure-Lines': '1200' },
    wifiRssi: -49,
  },
  {
    id: 'esp32-staircase',
    name: 'Staircase',
    sample: 5,
    view: { left: 330, top: 40, width: 1320, height: 990 },
    sensor: { gain: 2 },
    wifiRssi: -71,
  },
  {
    id: 'esp32-workshop',
    name: 'Workshop',
    sample: 1,
    view: { left: 1180, top: 60, width: 720, height: 540 },
    sensor: { gain: 16, exposure: 0.5, mosaic: 'bayer' },
    headers: { 'X-Sensor-Model': 'OV3660', 'X-Sensor-Agc-Gain': '15' },
    wifiRssi: -83,
  },
  {
    id: 'esp32-loading-bay',
    name: 'Loading bay',
    sample: 6,
    view: { left: 1040, top: 170, width: 860, height: 645 },
    sensor: { gain: 1 },
    wifiRssi: -64,
  },
  {
    id: 'esp32-lounge',
    name: 'Lounge',
    sample: 2,
    view: { left: 760, top: 60, width: 1000, height: 750 },
    sensor: null,
    wifiRssi: -55,
  },
];

/** By sample photo and place of the face, from the left. */
const PEOPLE: readonly { name: string; sample: number; face: number }[] = [
  { name: 'Ada Berg', sample: 3, face: 1 },
  { name: 'Chloe Martin', sample: 3, face: 2 },
  { name: 'Lina Ortega', sample: 6, face: 0 },
  { name: 'Noor Haddad', sample: 6, face: 1 },
  { name: 'Emma Clarke', sample: 6, face: 3 },
  { name: 'Mia Santos', sample: 5, face: 4 },
  { name: 'Grace Lin', sample: 5, face: 3 },
];

export interface DemoSite {
  /** Sends a frame of each board once more. */
  sendFrames(): Promise<void>;
  close(): Promise<void>;
}

/** @param ffmpegPath null leaves the camera, the class and the recordings out */
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
  const room = ffmpegPath === null ? null : await holdClass(server, post, ffmpegPath);
  if (ffmpegPath !== null)
    for (const deviceId of ['esp32-front-door', 'esp32-reception'])
      await post('/api/v1/stream/record', { deviceId });
  return {
    sendFrames,
    async close() {
      stopMeasuring();
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
    });
  }, 500);
  return () => clearInterval(timer);
}

async function holdClass(
  server: OwnServer,
  post: (path: string, body: object) => Promise<void>,
  ffmpegPath: string,
): Promise<{ close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-demo-site-'));
  const stills: string[] = [];
  for (const [i, region] of [BOARDS[1]!, BOARDS[0]!].entries()) {
    const path = join(folder, `${i}.png`);
    await sharp(samplePath(region.sample)).extract(region.view).resize(960, 720).png().toFile(path);
    stills.push(path);
  }
  const video = join(folder, 'room.mp4');
  await promisify(execFile)(ffmpegPath, [
    ...['-y', '-nostdin', '-loglevel', 'error'],
    ...stills.flatMap((path) => ['-loop', '1', '-framerate', '10', '-t', '4', '-i', path]),
    ...['-filter_complex', '[0:v][1:v]concat=n=2:v=1,format=yuv420p[out]', '-map', '[out]'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', video],
  ]);
  const clip = await makeH264Clip(ffmpegPath, {
    file: video,
    width: 960,
    height: 720,
    framesPerSecond: 10,
    durationS: 8,
  });
  const camera = await RtspServer.start({ clip });
  const backend = await startBackend();
  const students = [];
  for (const [i, { name, sample, face }] of PEOPLE.slice(0, 4).entries()) {
    const jpeg = await readSample(sample);
    const input = { kind: 'encoded', bytes: new Uint8Array(jpeg) } as const;
    const { faces } = await server.recognizer.analyse({
      input,
      index: null,
      returnEmbeddings: true,
      jpegQuality: null,
    });
    const { embedding } = faces.toSorted((a, b) => a.box.x - b.box.x)[face]!;
    students.push({
      userId: 100 + i,
      fullName: name,
      rollNumber: `S-${2041 + 7 * i}`,
      embeddingVector: [...embedding!],
      embeddingVersion: 1,
    });
  }
  await post('/api/v1/recognition/process-session', {
    slotId: 312,
    roomId: 24,
    students,
    cameras: [
      { id: 1, name: 'Room 24, front', rtspUrl: camera.url() },
      { id: 2, name: 'Room 24, door', rtspUrl: 'rtsp://127.0.0.1:9/stream' },
    ],
    config: { similarityThreshold: 0.85, scanInterval: 2, callbackUrl: `${backend.url}/callback` },
  });
  return {
    async close() {
      await camera.close();
      await backend.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
