import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { samplePhoto } from '../../bench/sample-photos.ts';
import { capture, plainCapture } from '../../bench/simulated-sensor.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let plain: TestServer;
let enhancing: TestServer;
let filtering: TestServer;
before(async () => {
  [plain, enhancing, filtering] = await Promise.all([
    startTestServer({ ENHANCE: 'off', RATE_LIMIT_MAX: '100000' }),
    startTestServer({}),
    startTestServer({ ENHANCE: 'fast' }),
  ]);
});
after(async () => {
  await plain?.dispose();
  await enhancing?.dispose();
  await filtering?.dispose();
});

const WIDTH = 320;
const HEIGHT = 240;
const photo = await samplePhoto(6, WIDTH, HEIGHT);
const dim = (seed: number) =>
  capture(photo, { ...plainCapture, gain: 4, exposure: 0.3, illuminant: 'tungsten', mosaic: 'bayer', seed })
    .bytes;

interface Answer {
  readonly url: string;
  readonly faces_detected: number;
  readonly enhancement: Record<string, unknown>;
  readonly warnings: readonly string[];
}

async function send(
  server: TestServer,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await server.call('/api/v1/stream/stream', {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: {
      'Content-Type': 'application/octet-stream',
      'X-Device-Id': 'dim-corner',
      'X-Frame-Width': String(WIDTH),
      'X-Frame-Height': String(HEIGHT),
      'X-Frame-Format': 'RGB565',
      ...headers,
    },
  });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Answer;
}

async function meanOf(server: TestServer, { url }: Answer): Promise<number[]> {
  const picture = Buffer.from(await (await server.call(url)).arrayBuffer());
  return (await sharp(picture).stats()).channels.map(({ mean }) => mean);
}

test('a dim frame with a colour cast is stored brighter and more neutral, without any header of the sensor', async () => {
  const before = await meanOf(plain, await send(plain, dim(1)));
  const answer = await send(enhancing, dim(1));
  const after = await meanOf(enhancing, answer);
  const cast = ([red, , blue]: number[]) => red! / blue!;
  assert.ok(after[1]! > 1.3 * before[1]!, `${before} -> ${after}`);
  assert.ok(cast(after) < cast(before), `${cast(before)} -> ${cast(after)}`);
});

test('the answer says what was estimated, and from where', async () => {
  const { enhancement } = await send(enhancing, dim(2));
  const { noise, whiteBalance, exposureGain } = enhancement as {
    noise: { source: string; gain: number; sigma: number };
    whiteBalance: unknown;
    exposureGain: number;
  };
  assert.equal(noise.source, 'frame');
  assert.ok(noise.gain >= 1 && noise.gain <= 16 && noise.sigma > 1, JSON.stringify(noise));
  assert.ok(whiteBalance !== undefined && exposureGain > 1);
});

test('a header that contradicts the picture is not believed, and named', async () => {
  const { enhancement } = await send(enhancing, dim(3), { 'X-Sensor-Gain': '64', 'X-Device-Id': 'liar' });
  assert.deepEqual(enhancement.notBelieved, ['gain']);
});

test('frames of a device that holds still are merged, those of boards without an id are not', async () => {
  const merged = async (headers: Record<string, string>) => {
    let last: Answer | null = null;
    for (let seed = 10; seed < 14; seed++) last = await send(enhancing, dim(seed), headers);
    return last!.enhancement.merged;
  };
  assert.notEqual(await merged({ 'X-Device-Id': 'still-camera' }), null);
  assert.equal(await merged({ 'X-Device-Id': '' }), null);
});

test('black, white, noise and tiny frames come through', async () => {
  const noise = Uint8Array.from({ length: WIDTH * HEIGHT * 2 }, (_, i) => (i * 2654435761) >>> 24);
  for (const bytes of [
    new Uint8Array(WIDTH * HEIGHT * 2),
    new Uint8Array(WIDTH * HEIGHT * 2).fill(255),
    noise,
  ]) {
    await send(enhancing, bytes);
  }
  const tiny = await send(enhancing, Uint8Array.of(0x12, 0x34), {
    'X-Frame-Width': '1',
    'X-Frame-Height': '1',
  });
  assert.equal(tiny.faces_detected, 0);
  await send(enhancing, new Uint8Array(2 * 33 * 17), { 'X-Frame-Width': '33', 'X-Frame-Height': '17' });
});

test('with ENHANCE=fast a frame is filtered and corrected, and nothing is merged', async () => {
  await send(filtering, dim(21));
  const answer = await send(filtering, dim(22));
  const { noise, merged, exposureGain } = answer.enhancement as {
    noise: { method: string };
    merged: unknown;
    exposureGain: number;
  };
  assert.deepEqual([noise.method, merged], ['wiener', null]);
  assert.ok(exposureGain > 1);
  const [filtered, untouched] = [
    await meanOf(filtering, answer),
    await meanOf(plain, await send(plain, dim(22))),
  ];
  assert.ok(filtered[1]! > 1.2 * untouched[1]!);
});
