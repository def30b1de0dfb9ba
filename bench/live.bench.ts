/**
 * Live pictures: from the camera to the screen, by a clock in the picture, and what the copied stream costs.
 * `npm run bench -- live [--seconds 20] [--costSeconds 30]`, with MEDIASOUP_WORKER_BIN where the media worker is not installed.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import type { Page } from 'playwright-core';
import { parseCameraUrl } from '../server/cameras/camera-address.ts';
import { createCameraHub } from '../server/cameras/camera-hub.ts';
import { type FfmpegProgram, findFfmpeg } from '../server/cameras/ffmpeg-program.ts';
import { noBrowser, openBrowser } from '../test/support/browser.ts';
import { childProcesses } from '../test/support/ffmpeg.ts';
import { type ClipCodec, makeH264Clip } from '../test/support/h264-clip.ts';
import { mediaWorkerOrReason } from '../test/support/media-worker.ts';
import { RtspServer } from '../test/support/rtsp-server.ts';
import { startTestServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { type Reporter, verify } from './harness.ts';

export const title = 'live pictures: from the camera to the screen, and what the copied stream costs';

/** Frames are counted in the picture, in black and white blocks along its top: the least significant bit first. */
const BITS = 9;
const BLOCK_PX = 64;
const FRAMES_PER_SECOND = 25;
const CLIP_S = 20;
const SEEN_LATE = 'from the camera to the screen';

interface Seen {
  readonly frame: number;
  /** By the machine's clock, which the browser shares. */
  readonly atMs: number;
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const program = await findFfmpeg({ searchPath: process.env.PATH });
  reporter.note(`ffmpeg ${program.version} (${program.source})`);
  const seconds = Number(options.seconds ?? 20);
  const worker = mediaWorkerOrReason();
  if (noBrowser || worker.reason) reporter.skip(noBrowser || worker.reason || '');
  else {
    await measureLatency(reporter, program, worker.path!, 'h264', seconds);
    await measureLatency(reporter, program, worker.path!, 'hevc', seconds);
  }
  await measureCost(reporter, program, Number(options.costSeconds ?? 30));
}

const clockFilter = (): string => {
  const bit = (i: number) =>
    `drawbox=x=${i * BLOCK_PX}:y=0:w=${BLOCK_PX}:h=${BLOCK_PX}:color=white:t=fill:enable='eq(mod(floor(n/${2 ** i}),2),1)'`;
  const ground = `drawbox=x=0:y=0:w=${BITS * BLOCK_PX}:h=${BLOCK_PX}:color=black:t=fill`;
  return [ground, ...Array.from({ length: BITS }, (_, i) => bit(i))].join(',');
};

async function measureLatency(
  reporter: Reporter,
  program: FfmpegProgram,
  workerBin: string,
  codec: ClipCodec,
  seconds: number,
): Promise<void> {
  const clip = await makeH264Clip(program.path, {
    codec,
    width: 1280,
    height: 720,
    framesPerSecond: FRAMES_PER_SECOND,
    durationS: CLIP_S,
    filter: clockFilter(),
  });
  const sentAtMs = new Map<number, number>();
  const camera = await RtspServer.start({
    clip,
    onFrame: (number) => sentAtMs.set(number % clip.accessUnits.length, Date.now()),
  });
  const server = await startTestServer({ MEDIASOUP_WORKER_BIN: workerBin });
  const browser = await openBrowser(server, {
    flags: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'],
  });
  try {
    await server.call('/api/v1/cameras', {
      method: 'POST',
      body: JSON.stringify({ name: 'Clock', rtspUrl: camera.url(), recognise: false }),
      headers: { 'Content-Type': 'application/json' },
    });
    const openedMs = performance.now();
    const page = await browser.open('/#/cameras/1');
    await page.getByText('Live by WebRTC').waitFor({ timeout: 30_000 });
    const firstMs = performance.now() - openedMs;
    await pause(2000);
    const latencies: number[] = [];
    for (const { frame, atMs } of await readClock(page, seconds)) {
      const sentMs = sentAtMs.get(frame);
      // The number that was read is one that was sent a moment ago, or it was not read well.
      if (sentMs !== undefined && atMs - sentMs < (CLIP_S * 1000) / 2) latencies.push(atMs - sentMs);
    }
    const expected = seconds * FRAMES_PER_SECOND;
    verify(latencies.length > expected * 0.8, `${latencies.length} of ${expected} frames were read`);
    verify(
      latencies.every((ms) => ms >= 0),
      'a frame was seen before it was sent',
    );
    latencies.sort((a, b) => a - b);
    const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)]!;
    const how = codec === 'h264' ? 'H.264 as it came' : 'HEVC transcoded';
    reporter.add({
      name: `${how}, ${SEEN_LATE}`,
      unit: 'ms',
      value: at(0.5),
      min: at(0),
      max: at(1),
      repeats: latencies.length,
      target: { atMost: 300 },
    });
    reporter.add({ name: `${how}, 95 of 100 frames`, unit: 'ms', value: at(0.95) });
    reporter.add({ name: `${how}, from the click to the first picture`, unit: 'ms', value: firstMs });
    reporter.note(`${((100 * latencies.length) / expected).toFixed(1)} of 100 frames were drawn`);
  } finally {
    await browser.close();
    await server.dispose();
    await camera.close();
  }
}

/** Each frame that is drawn, with the number in it and when it is seen. */
const readClock = (page: Page, seconds: number): Promise<Seen[]> =>
  page.evaluate(
    ({ seconds, bits, blockPx }) =>
      new Promise<{ frame: number; atMs: number }[]>((resolve) => {
        const video = document.querySelector('video')!;
        const canvas = new OffscreenCanvas(bits, 1);
        const context = canvas.getContext('2d', { willReadFrequently: true })!;
        const seen: { frame: number; atMs: number }[] = [];
        const endMs = performance.now() + seconds * 1000;
        const read = (_: number, { expectedDisplayTime }: VideoFrameCallbackMetadata) => {
          context.imageSmoothingEnabled = false;
          // The middle of each block.
          for (let i = 0; i < bits; i++)
            context.drawImage(
              video,
              i * blockPx + blockPx / 4,
              blockPx / 4,
              blockPx / 2,
              blockPx / 2,
              i,
              0,
              1,
              1,
            );
          const { data } = context.getImageData(0, 0, bits, 1);
          let frame = 0;
          for (let i = 0; i < bits; i++) if (data[4 * i]! > 128) frame |= 1 << i;
          const shownMs = Math.max(performance.now(), expectedDisplayTime);
          seen.push({ frame, atMs: performance.timeOrigin + shownMs });
          if (performance.now() < endMs) video.requestVideoFrameCallback(read);
          else resolve(seen);
        };
        video.requestVideoFrameCallback(read);
      }),
    { seconds, bits: BITS, blockPx: BLOCK_PX },
  );

/** The ffmpeg of a 1080p camera in an empty room, with and without copies of its stream, side by side. */
async function measureCost(reporter: Reporter, program: FfmpegProgram, seconds: number): Promise<void> {
  const clip = await makeH264Clip(program.path, {
    width: 1920,
    height: 1080,
    keyFrameIntervalFrames: 50,
    durationS: 8,
  });
  const log = pino({ level: 'silent' });
  const camera = await RtspServer.start({ clip });
  const other = await RtspServer.start({ clip });
  const sink = { port: 59_998, rtcpPort: 59_999, ssrc: 1, payloadType: 96 };
  const copying = createCameraHub({ program, log, openCopies: async () => ({ rtp: sink, pipe: true }) });
  const plain = createCameraHub({ program, log });
  const shares: number[] = [];
  try {
    const open = async (hub: typeof plain, server: RtspServer) => {
      const before = new Set(childProcesses());
      const use = hub.use({ address: parseCameraUrl(server.url()), scanIntervalMs: 5000, onFrame: () => {} });
      await use.connected;
      await until(() => use.camera.report.state === 'live');
      return { use, pid: childProcesses()!.find((pid) => !before.has(pid))! };
    };
    const opened = [await open(plain, camera), await open(copying, other)];
    await pause(2000);
    const before = opened.map(({ pid }) => cpuS(pid));
    const since = performance.now();
    await pause(seconds * 1000);
    const elapsedS = (performance.now() - since) / 1000;
    for (const [i, { use, pid }] of opened.entries()) {
      shares.push((100 * (cpuS(pid) - before[i]!)) / elapsedS);
      verify(
        use.camera.report.failures === 0 && use.camera.report.decoding === 'key frames',
        'the camera was lost',
      );
    }
  } finally {
    await Promise.all([plain.close(), copying.close()]);
    await Promise.all([camera.close(), other.close()]);
  }
  reporter.add({
    name: 'ffmpeg of a 1080p camera, a scan each 5 s, no copies',
    unit: '% of a core',
    value: shares[0]!,
  });
  reporter.add({
    name: 'the same with both copies of its stream',
    unit: '% of a core',
    value: shares[1]!,
    target: { atMost: 3 },
  });
}

/** User and system time. Linux only: clock ticks of a hundredth of a second. */
function cpuS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
