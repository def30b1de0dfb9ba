/**
 * Frames of boards: raw 320x240 by POST from another process, as a simulated sensor gives them, with a face and without, and what the
 * older backend did with them. `--only speed|memory` leaves the other half out.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createFrameEnhancer } from '../server/devices/frame-enhancement.ts';
import { lookAt } from '../server/http/look-at.ts';
import type { RawFrame } from '../workers/protocol.ts';
import type { BoardOrder, BoardResult } from './board-client.ts';
import { enrolOthers, frameKinds, HEIGHT, type Kind, KNOWN, WIDTH } from './board-frames.ts';
import { UsageError, wholeNumber } from './command-line.ts';
import { median, type Reporter, spreadFigure, verify } from './harness.ts';
import { straightLine } from './line.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';
import { startPlainFrames } from './peers/plain-frames.ts';
import { onePersonJpeg } from './pictures.ts';
import { findYunet, WITHOUT_YUNET } from './selections.ts';

export const title =
  'raw frames of boards over HTTP at 1, 8 and 64 connections, and memory over many of them';

const CONNECTIONS = [1, 8, 64] as const;
const JPEG_QUALITY = 90;
const MIB = 2 ** 20;
/** As in memory.bench.ts: allocators and the garbage collector move by as much without a leak. */
const MOST_GROWTH_MIB = 12;
const WARM_UP_FRAMES = 200;
/** Frames are kept for so long, and from then on as many go as come: what is measured is a server that has been running for a while. */
const STEADY_AFTER_S = '2';
const DOUBTFUL_SIMILARITY = '0.95';

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const rounds = wholeNumber(options, 'rounds', 5, 1, 100);
  const count = wholeNumber(options, 'frames', 600, 64, 1_000_000);
  const memoryCount = wholeNumber(options, 'count', 50_000, 1000, 10_000_000);
  const { only = 'all' } = options;
  if (!['all', 'speed', 'memory'].includes(only))
    throw new UsageError(`--only: expected speed or memory, received ${only}`);
  const yunet = await findYunet();
  if (yunet === null) return reporter.skip(WITHOUT_YUNET);
  const modelPaths = [yunet.detector.path!];
  const { stranger, known, empty } = await frameKinds();
  const client = fork(fileURLToPath(new URL('./board-client.ts', import.meta.url)));
  const settings = { DETECTOR: 'yunet', FRAME_RETENTION_S: STEADY_AFTER_S };
  const server = await startOwnServer({ settings, modelPaths });
  try {
    await enrolOthers(server.gallery);
    const boards = { client, server };
    if (only !== 'memory') {
      await measureKind(reporter, boards, stranger, rounds, count);
      await server.gallery.enrol(KNOWN, await onePersonJpeg());
      await measureKind(reporter, boards, known, rounds, count);
      await measureKind(reporter, boards, empty, rounds, count);
      await measurePlain(reporter, client, server.folder, known, rounds, count);
    }
    if (only !== 'speed') {
      await server.gallery.enrol(KNOWN, await onePersonJpeg());
      await measureMemory(reporter, boards, [known, empty], memoryCount);
    }
  } finally {
    await server.dispose();
  }
  try {
    if (only !== 'memory') await measureInDoubt(reporter, client, settings, modelPaths, known, rounds, count);
  } finally {
    client.disconnect();
  }
}

interface Boards {
  readonly client: ChildProcess;
  readonly server: OwnServer;
}

const STREAM = '/api/v1/stream/stream';

async function measureKind(
  reporter: Reporter,
  boards: Boards,
  kind: Kind,
  rounds: number,
  count: number,
): Promise<void> {
  await post(boards.client, boards.server.port, kind, 8, WARM_UP_FRAMES);
  for (const connections of CONNECTIONS)
    await measure(reporter, boards, kind, connections, rounds, connections === 1 ? count >> 2 : count);
  await measureShare(reporter, boards, kind, rounds, count);
}

/**
 * A threshold just where the face is: its first embedding settles nothing, and every frame gets the second one as well. What the other
 * kinds would cost without being spared it.
 */
async function measureInDoubt(
  reporter: Reporter,
  client: ChildProcess,
  settings: Readonly<Record<string, string>>,
  modelPaths: readonly string[],
  kind: Kind,
  rounds: number,
  count: number,
): Promise<void> {
  const server = await startOwnServer({
    settings: { ...settings, SIMILARITY_THRESHOLD: DOUBTFUL_SIMILARITY },
    modelPaths,
  });
  try {
    await server.gallery.enrol(KNOWN, await onePersonJpeg());
    const doubtful: Kind = { ...kind, name: 'with a face in doubt, embedded twice', leastPerS: undefined };
    await post(client, server.port, doubtful, 8, WARM_UP_FRAMES);
    await measure(reporter, { client, server }, doubtful, 8, rounds, count);
  } finally {
    await server.dispose();
  }
}

async function measure(
  reporter: Reporter,
  { client, server }: Boards,
  kind: Kind,
  boards: number,
  rounds: number,
  count: number,
): Promise<void> {
  const taken: BoardResult[] = [];
  for (let round = 0; round < rounds; round++)
    taken.push(await post(client, server.port, kind, boards, count));
  const name = `${kind.name}, ${boards} ${boards === 1 ? 'connection' : 'connections'}`;
  const perS = taken.map(({ elapsedMs }) => (1000 * count) / elapsedMs);
  // One board alone waits for every answer: what the machine can do shows where several send.
  const target = boards === 1 || kind.leastPerS === undefined ? undefined : { atLeast: kind.leastPerS };
  reporter.add(spreadFigure(name, 'frames/s', perS, target));
  const latency = (share: number) => taken.map(({ latenciesMs }) => quantile(latenciesMs, share));
  reporter.add(spreadFigure(`${name}: median latency`, 'ms', latency(0.5)));
  reporter.add(spreadFigure(`${name}: 99th percentile`, 'ms', latency(0.99)));
  const clientMs = taken.map(({ cpuMs }) => cpuMs / count);
  reporter.record(spreadFigure(`${name}: processor time of the load generator a frame`, 'ms', clientMs));
}

/** The same work without HTTP and without storing: what is left of the time is theirs. */
async function measureShare(
  reporter: Reporter,
  { client, server }: Boards,
  kind: Kind,
  rounds: number,
  count: number,
): Promise<void> {
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const directMs = await recogniseDirectly(server, kind, 8, count);
    const { elapsedMs } = await post(client, server.port, kind, 8, count);
    shares.push((100 * (elapsedMs - directMs)) / elapsedMs);
  }
  reporter.add(spreadFigure(`${kind.name}: share of HTTP, storing and the load generator`, '%', shares));
}

async function recogniseDirectly(
  server: OwnServer,
  kind: Kind,
  boards: number,
  count: number,
): Promise<number> {
  const enhancer = createFrameEnhancer('full');
  let sent = 0;
  const start = performance.now();
  const board = async (_: unknown, number: number) => {
    while (sent < count) {
      const bytes = kind.frames[sent++ % kind.frames.length]!;
      const input: RawFrame = {
        kind: 'raw',
        // A thread takes the bytes for itself, as it takes a body.
        bytes: Uint8Array.from(bytes),
        width: WIDTH,
        height: HEIGHT,
        format: 'RGB565',
        byteOrder: 'BE',
        enhancement: enhancer.prepare(`board-${number}`, { width: WIDTH, height: HEIGHT }, {}),
      };
      const { result } = await lookAt(server, input, { jpegQuality: JPEG_QUALITY, onlyNames: true });
      verify(
        result.faces.length === kind.faces,
        `expected ${kind.faces} faces, found ${result.faces.length}`,
      );
    }
  };
  await Promise.all(Array.from({ length: boards }, board));
  return performance.now() - start;
}

/** The older backend's share of the work, in this process as its server is. */
async function measurePlain(
  reporter: Reporter,
  client: ChildProcess,
  folder: string,
  kind: Kind,
  rounds: number,
  count: number,
): Promise<void> {
  const plain = await startPlainFrames(folder);
  const perS: number[] = [];
  try {
    for (let round = -1; round < rounds; round++) {
      const { elapsedMs } = await post(client, plain.port, kind, 8, count, ['"success":true']);
      if (round >= 0) perS.push((1000 * count) / elapsedMs);
    }
  } finally {
    await plain.close();
  }
  const name = 'baseline without recognition: plain JavaScript unpacking and sharp, 8 connections';
  reporter.add(spreadFigure(name, 'frames/s', perS));
}

async function measureMemory(
  reporter: Reporter,
  { client, server }: Boards,
  kinds: readonly Kind[],
  count: number,
): Promise<void> {
  const steps = 20;
  const perStep = Math.ceil(count / steps);
  const points: [number, number][] = [];
  for (let step = 1; step <= steps; step++) {
    await post(client, server.port, kinds[step % kinds.length]!, 8, perStep);
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
  port: number,
  kind: Kind,
  boards: number,
  count: number,
  expected = [`"recognizedAs":${JSON.stringify(kind.recognizedAs)}`, `"faces_detected":${kind.faces},`],
): Promise<BoardResult> {
  const frames = kind.frames.map((frame) => frame.toString('base64'));
  const order: BoardOrder = {
    port,
    path: STREAM,
    frames,
    width: WIDTH,
    height: HEIGHT,
    boards,
    count,
    expected,
  };
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

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
