/**
 * What cameras cost, and what they leave behind: cycles of opening and closing, a camera that never answers, a 1080p camera at work.
 * `npm run bench -- cameras [--cycles 500] [--silent-minutes 60] [--live-seconds 60] [--ffmpeg <path>]; 0 leaves a part out`
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pino from 'pino';
import { Camera, type CameraOptions } from '../server/cameras/camera.ts';
import { parseCameraUrl } from '../server/cameras/camera-address.ts';
import { type FfmpegProgram, findFfmpeg } from '../server/cameras/ffmpeg-program.ts';
import { childProcesses, smallClip } from '../test/support/ffmpeg.ts';
import { makeH264Clip } from '../test/support/h264-clip.ts';
import { RtspServer } from '../test/support/rtsp-server.ts';
import { wholeNumber } from './command-line.ts';
import { type Reporter, verify } from './harness.ts';
import { processCpuS, residentMB } from './processes.ts';

export const title = 'cameras: opening and closing, one that never answers, the cost of a 1080p camera';

const SCAN_INTERVAL_MS = 5000;
/** Above what a heap that was just collected varies by. */
const KEPT_MEMORY_LIMIT_MB = 30;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const program = await findFfmpeg({ path: options.ffmpeg, searchPath: process.env.PATH });
  reporter.note(`ffmpeg ${program.version} (${program.source})`);
  const cycles = wholeNumber(options, 'cycles', 50, 0, 100_000);
  const silentMinutes = wholeNumber(options, 'silent-minutes', 1, 0, 1440);
  const liveSeconds = wholeNumber(options, 'live-seconds', 60, 0, 86_400);
  if (cycles > 0) await measureCycles(reporter, program, cycles);
  if (silentMinutes > 0) await measureSilence(reporter, program, silentMinutes);
  if (liveSeconds > 0) await measureLive(reporter, program, liveSeconds);
}

function openCamera(
  program: FfmpegProgram,
  server: RtspServer,
  options: Partial<CameraOptions> = {},
): Camera {
  const camera = new Camera({
    program,
    address: parseCameraUrl(server.url()),
    scanIntervalMs: SCAN_INTERVAL_MS,
    onFrame: () => {},
    log: pino({ level: 'silent' }),
    ...options,
  });
  camera.start();
  return camera;
}

async function measureCycles(reporter: Reporter, program: FfmpegProgram, cycles: number): Promise<void> {
  const server = await RtspServer.start({ clip: await smallClip(program) });
  const openAndClose = async (cycle: number) => {
    const camera = openCamera(program, server);
    // Half of them are closed in the middle of their connecting.
    if (cycle % 2 === 0) verify(await camera.connected(), 'a camera did not connect');
    else await once(server, 'connected');
    await camera.stop();
  };
  for (let cycle = 0; cycle < 5; cycle++) await openAndClose(cycle);
  const before = holdings();
  const start = performance.now();
  for (let cycle = 0; cycle < cycles; cycle++) await openAndClose(cycle);
  const cycleMs = (performance.now() - start) / cycles;
  reporter.add({ name: `one of ${cycles} cycles of opening and closing`, unit: 'ms', value: cycleMs });
  reportLeftOvers(reporter, `after ${cycles} cycles`, before);
  await server.close();
}

async function measureSilence(reporter: Reporter, program: FfmpegProgram, minutes: number): Promise<void> {
  const server = await RtspServer.start({ clip: await smallClip(program, { durationS: 1 }) });
  server.fail('silent');
  // An hour has about 95 attempts. A shorter run makes as many a minute faster, so that what each leaves adds up.
  const isWhole = minutes >= 60;
  const before = holdings();
  const camera = openCamera(
    program,
    server,
    isWhole ? {} : { connectLimitMs: 500, backOff: { firstMs: 50, maxMs: 200, forgivenAfterMs: 60_000 } },
  );
  await pause(minutes * 60_000);
  const { failures, frames } = camera.report;
  await camera.stop();
  verify(failures > 0 && frames === 0, 'a camera that never answers gave frames, or was not tried again');
  reporter.add({
    name: `attempts in ${minutes} min of a camera that never answers`,
    unit: '',
    value: failures,
  });
  reportLeftOvers(reporter, 'after it', before);
  await server.close();
}

async function measureLive(reporter: Reporter, program: FfmpegProgram, seconds: number): Promise<void> {
  const clip = await makeH264Clip(program.path, {
    width: 1920,
    height: 1080,
    keyFrameIntervalFrames: 50,
    durationS: 8,
  });
  const server = await RtspServer.start({ clip });
  const camera = openCamera(program, server);
  const start = performance.now();
  verify(await camera.connected(), 'the camera did not connect');
  reporter.add({ name: 'first frame of a 1080p camera', unit: 'ms', value: performance.now() - start });
  const cpuBeforeS = processCpuS(camera.pid!);
  const since = performance.now();
  await pause(seconds * 1000);
  const elapsedS = (performance.now() - since) / 1000;
  const { frames, decoding, frameRate, keyFrameSpacingMs, failures } = camera.report;
  verify(failures === 0 && decoding === 'key frames', 'the camera was lost, or every frame was decoded');
  verify(Math.abs(frames - elapsedS / (SCAN_INTERVAL_MS / 1000)) <= 2, `${frames} frames in ${elapsedS} s`);
  const share = (100 * (processCpuS(camera.pid!) - cpuBeforeS)) / elapsedS;
  reporter.add({ name: 'ffmpeg of a 1080p camera, a scan each 5 s', unit: '% of a core', value: share });
  reporter.add({ name: 'its resident memory', unit: 'MB', value: residentMB(camera.pid!) });
  reporter.note(
    `${frameRate?.toFixed(1)} frames/s come in, a key frame each ${keyFrameSpacingMs?.toFixed(0)} ms`,
  );
  await camera.stop();
  await server.close();
}

interface Holdings {
  readonly children: number;
  readonly handles: number;
  readonly files: number;
  readonly memoryMB: number;
}

/** What was collected already is not counted as kept. The function appears in contexts that are made after the flag is set. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function holdings(): Holdings {
  collectGarbage();
  const { rss } = process.memoryUsage();
  return {
    children: childProcesses()?.length ?? 0,
    handles: process.getActiveResourcesInfo().filter((name) => /Process|Pipe|Timeout/.test(name)).length,
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    memoryMB: rss / 2 ** 20,
  };
}

function reportLeftOvers(reporter: Reporter, when: string, before: Holdings): void {
  const now = holdings();
  const more = (kind: keyof Holdings) => Math.max(0, now[kind] - before[kind]);
  reporter.add({ name: `processes left ${when}`, unit: '', value: more('children'), target: { atMost: 0 } });
  // The servers' own connections may be closing.
  reporter.add({ name: `handles left ${when}`, unit: '', value: more('handles'), target: { atMost: 0 } });
  reporter.add({ name: `open files left ${when}`, unit: '', value: more('files'), target: { atMost: 2 } });
  const target = { atMost: KEPT_MEMORY_LIMIT_MB };
  reporter.add({ name: `memory left ${when}`, unit: 'MB', value: more('memoryMB'), target });
}
