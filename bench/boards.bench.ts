/** Frames of boards: raw 320x240 by POST from another process, with a face and without, and what the older backend did with them. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { RawFrame } from '../workers/protocol.ts';
import type { BoardOrder, BoardResult } from './board-client.ts';
import { wholeNumber } from './command-line.ts';
import { median, type Reporter, spreadFigure, verify } from './harness.ts';
import { straightLine } from './line.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';
import { startPlainFrames } from './peers/plain-frames.ts';
import { onePersonJpeg } from './pictures.ts';
import { findYunet, WITHOUT_YUNET } from './selections.ts';

export const title =
  'raw frames of boards over HTTP at 1, 8 and 64 connections, and memory over many of them';

const WIDTH = 320;
const HEIGHT = 240;
const CONNECTIONS = [1, 8, 64] as const;
const LEAST_WITH_FACE = 100;
const LEAST_WITHOUT_FACE = 300;
const JPEG_QUALITY = 90;
const MIB = 2 ** 20;
/** As in memory.bench.ts: allocators and the garbage collector move by as much without a leak. */
const MOST_GROWTH_MIB = 12;
const WARM_UP_FRAMES = 200;

interface Frame {
  readonly name: string;
  readonly bytes: Buffer;
  readonly faces: 0 | 1;
  readonly leastPerS: number;
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const rounds = wholeNumber(options, 'rounds', 5, 1, 100);
  const frames = wholeNumber(options, 'frames', 600, 64, 1_000_000);
  const count = wholeNumber(options, 'count', 50_000, 1000, 10_000_000);
  const yunet = await findYunet();
  if (yunet === null) return reporter.skip(WITHOUT_YUNET);
  const server = await startOwnServer({
    settings: { DETECTOR: 'yunet', FRAME_RETENTION_S: '30' },
    modelPaths: [yunet.detector.path!],
  });
  const plain = await startPlainFrames(server.folder);
  const client = fork(fileURLToPath(new URL('./board-client.ts', import.meta.url)));
  try {
    const kinds = [await frameWithFace(), frameWithoutFace()];
    const url = `${server.url}/api/v1/stream/stream`;
    for (const kind of kinds) {
      await post(client, url, kind, 8, WARM_UP_FRAMES);
      for (const boards of CONNECTIONS)
        await measure(reporter, client, url, kind, boards, rounds, boards === 1 ? frames >> 2 : frames);
      await measureShare(reporter, server, client, url, kind, rounds, frames);
    }
    await measurePlain(reporter, client, plain.url, kinds[0]!, rounds, frames);
    await measureMemory(reporter, client, url, kinds, count);
  } finally {
    client.disconnect();
    await plain.close();
    await server.dispose();
  }
}

async function measure(
  reporter: Reporter,
  client: ChildProcess,
  url: string,
  kind: Frame,
  boards: number,
  rounds: number,
  frames: number,
): Promise<void> {
  const taken: BoardResult[] = [];
  for (let round = 0; round < rounds; round++) taken.push(await post(client, url, kind, boards, frames));
  const name = `${kind.name}, ${boards} ${boards === 1 ? 'connection' : 'connections'}`;
  const perS = taken.map(({ elapsedMs }) => (1000 * frames) / elapsedMs);
  // One board alone waits for every answer: what the machine can do shows where several send.
  reporter.add(spreadFigure(name, 'frames/s', perS, boards === 1 ? undefined : { atLeast: kind.leastPerS }));
  const latency = (share: number) => taken.map(({ latenciesMs }) => quantile(latenciesMs, share));
  reporter.add(spreadFigure(`${name}: median latency`, 'ms', latency(0.5)));
  reporter.add(spreadFigure(`${name}: 99th percentile`, 'ms', latency(0.99)));
}

/** The same work without HTTP and without storing: what is left of the time is theirs. */
async function measureShare(
  reporter: Reporter,
  server: OwnServer,
  client: ChildProcess,
  url: string,
  kind: Frame,
  rounds: number,
  frames: number,
): Promise<void> {
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const directMs = await recogniseDirectly(server, kind, 8, frames);
    const { elapsedMs } = await post(client, url, kind, 8, frames);
    shares.push((100 * (elapsedMs - directMs)) / elapsedMs);
  }
  reporter.add(spreadFigure(`${kind.name}: share of HTTP, storing and the load generator`, '%', shares));
}

async function recogniseDirectly(
  server: OwnServer,
  kind: Frame,
  boards: number,
  frames: number,
): Promise<number> {
  let left = frames;
  const start = performance.now();
  const board = async () => {
    while (left-- > 0) {
      // A thread takes the bytes for itself, as it takes a body.
      const input: RawFrame = {
        kind: 'raw',
        bytes: Uint8Array.from(kind.bytes),
        width: WIDTH,
        height: HEIGHT,
        format: 'RGB565',
        byteOrder: 'BE',
        enhancement: null,
      };
      const { faces } = await server.gallery.withIndex((index) =>
        server.recognizer.analyse({ input, index, returnEmbeddings: false, jpegQuality: JPEG_QUALITY }),
      );
      verify(faces.length === kind.faces, `expected ${kind.faces} faces, found ${faces.length}`);
    }
  };
  await Promise.all(Array.from({ length: boards }, board));
  return performance.now() - start;
}

/** The older backend's share of the work, in this process as its server is. */
async function measurePlain(
  reporter: Reporter,
  client: ChildProcess,
  url: string,
  kind: Frame,
  rounds: number,
  frames: number,
): Promise<void> {
  const perS: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const { elapsedMs } = await post(client, url, kind, 8, frames, '"success":true');
    if (round >= 0) perS.push((1000 * frames) / elapsedMs);
  }
  const name = 'baseline without recognition: plain JavaScript unpacking and sharp, 8 connections';
  reporter.add(spreadFigure(name, 'frames/s', perS));
}

async function measureMemory(
  reporter: Reporter,
  client: ChildProcess,
  url: string,
  kinds: readonly Frame[],
  count: number,
): Promise<void> {
  const steps = 20;
  const perStep = Math.ceil(count / steps);
  const points: [number, number][] = [];
  for (let step = 1; step <= steps; step++) {
    await post(client, url, kinds[step % kinds.length]!, 8, perStep);
    const rssMib = process.memoryUsage.rss() / MIB;
    points.push([step * perStep, rssMib]);
    reporter.record({ name: `RSS after ${step * perStep} frames`, unit: 'MiB', value: rssMib });
    reporter.note(`after ${step * perStep} frames: RSS ${rssMib.toFixed(1)} MiB`);
  }
  const half = points.slice(points.length >> 1);
  const growthMib = straightLine(half).slope * (half.at(-1)![0] - half[0]![0]);
  reporter.add({
    name: `growth over the second half of ${steps * perStep} frames, straight line`,
    unit: 'MiB',
    value: growthMib,
    target: { atMost: MOST_GROWTH_MIB },
  });
  reporter.add({
    name: 'RSS in the second half, median',
    unit: 'MiB',
    value: median(half.map(([, rss]) => rss)),
  });
}

async function post(
  client: ChildProcess,
  url: string,
  kind: Frame,
  boards: number,
  frames: number,
  expected = `"faces_detected":${kind.faces},`,
): Promise<BoardResult> {
  const frame = kind.bytes.toString('base64');
  const order: BoardOrder = { url, frame, width: WIDTH, height: HEIGHT, boards, frames, expected };
  const result = await new Promise<BoardResult>((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the boards ended with ${code}`));
    client.once('exit', ended);
    client.once('message', (message) => {
      client.off('exit', ended);
      resolve(message as BoardResult);
    });
    client.send(order);
  });
  verify(result.wrong === null, `an answer: ${result.wrong}`);
  return result;
}

async function frameWithFace(): Promise<Frame> {
  const rgb = await sharp(await onePersonJpeg())
    .resize(WIDTH, HEIGHT)
    .removeAlpha()
    .raw()
    .toBuffer();
  return { name: 'with a face', bytes: packRgb565(rgb), faces: 1, leastPerS: LEAST_WITH_FACE };
}

/** A room without anybody: slopes and edges, so that the JPEG has something to encode. */
function frameWithoutFace(): Frame {
  const rgb = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const shade = 40 + ((x + 2 * y) >> 3) + (x % 80 < 6 ? 60 : 0) + (y % 60 < 4 ? 30 : 0);
      rgb.set([shade, shade + 10, shade + 20], 3 * (y * WIDTH + x));
    }
  return { name: 'without a face', bytes: packRgb565(rgb), faces: 0, leastPerS: LEAST_WITHOUT_FACE };
}

function packRgb565(rgb: Uint8Array): Buffer {
  const frame = Buffer.alloc(2 * WIDTH * HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const code = ((rgb[3 * i]! >> 3) << 11) | ((rgb[3 * i + 1]! >> 2) << 5) | (rgb[3 * i + 2]! >> 3);
    frame.writeUInt16BE(code, 2 * i);
  }
  return frame;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
