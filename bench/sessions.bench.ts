/**
 * What an attendance session costs: the memory that two 1080p cameras add, ffmpeg included, and CPU, memory and delay of a scan with as
 * many cameras of an empty room as fit. `npm run bench -- sessions [--cameras 2,8,16,24] [--seconds 30] [--ffmpeg <path>]`
 */
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { findFfmpeg } from '../server/cameras/ffmpeg-program.ts';
import { makeRoomClip } from '../test/support/attendance-bed.ts';
import { type H264Clip, makeH264Clip } from '../test/support/h264-clip.ts';
import { RtspServer } from '../test/support/rtsp-server.ts';
import { type ServerProcess, startServerProcess } from '../test/support/server-process.ts';
import { randomUnitVector, seededRandom } from '../test/support/vectors.ts';
import { UsageError, wholeNumber } from './command-line.ts';
import { type Reporter, verify } from './harness.ts';
import { childrenOf, processCpuS, residentMB } from './processes.ts';
import { findYunet, SSD, WITHOUT_YUNET } from './selections.ts';

export const title = 'attendance sessions: memory of one with two cameras, and as many cameras as fit';

const SCAN_INTERVAL_S = 5;
const STUDENTS = 50;
/** Until every camera's key frames are known, and nothing is done for the first time any more. */
const SETTLE_S = 15;
const IDLE_S = 15;
const MEMORY_TARGET_MB = 250;
const CPU_TARGET_PERCENT = 3;
/** Of all cores, the playing of the cameras included: beyond it they come late themselves. */
const FULL_SHARE = 0.9;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const steps = (options.cameras ?? '2,8,16,24').split(',').map(Number);
  if (!steps.every((count) => Number.isInteger(count) && count > 0 && count <= 500))
    throw new UsageError(`--cameras: expected numbers such as 2,8,16, received ${options.cameras}`);
  const seconds = wholeNumber(options, 'seconds', 30, 10, 3600);
  const program = await findFfmpeg({ path: options.ffmpeg, searchPath: process.env.PATH });
  const yunet = await findYunet();
  reporter.note(
    `ffmpeg ${program.version}, ${availableParallelism()} cores; 1920x1080, 25 frames/s, a key frame each 2 s, a scan each ${SCAN_INTERVAL_S} s; ` +
      `${STUDENTS} students; ${seconds} s after ${SETTLE_S} s to settle; the cameras are played by another process, which is not counted`,
  );
  if (yunet === null) reporter.note(WITHOUT_YUNET);
  const { detector } = yunet ?? SSD;
  const modelPaths = detector.path === null ? [] : [detector.path];
  const size = { width: 1920, height: 1080, keyFrameIntervalFrames: 50, durationS: 8 };
  const people = await makeRoomClip(program, size);
  await withSession(modelPaths, people, 2, async (server, idleMB) => {
    const { memory, counts } = await watch(server, seconds);
    verify(counts.faces > 0, 'nobody was seen in the room');
    const name = `a session of two cameras with people, ${detector.id}`;
    reporter.add({
      name: `${name}: memory it adds, ffmpeg included`,
      unit: 'MB',
      value: addedMB(memory, idleMB),
      target: { atMost: MEMORY_TARGET_MB },
    });
    reporter.add({ name: `${name}: of it both ffmpeg`, unit: 'MB', value: memory.ffmpegMB });
    reporter.add({ name: `${name}: the server, idle before it`, unit: 'MB', value: idleMB });
    reporter.add({ name: `${name}: the server, at its highest`, unit: 'MB', value: memory.serverMB });
  });
  const emptyRoom = await makeH264Clip(program.path, size);
  for (const cameras of steps) {
    const isFull = await withSession(modelPaths, emptyRoom, cameras, (server, idleMB) =>
      measureEmptyRoom(reporter, server, { detector: detector.id, cameras, seconds, idleMB }),
    );
    if (isFull) break;
  }
}

async function measureEmptyRoom(
  reporter: Reporter,
  server: ServerProcess,
  step: { detector: string; cameras: number; seconds: number; idleMB: number },
): Promise<boolean> {
  const { detector, cameras, seconds, idleMB } = step;
  const { cpuPercent, memory, counts, share } = await watch(server, seconds);
  const { data } = await server.ask<{ data: { recognition: { averageProcessingTime: number } } }>(
    '/api/v1/metrics',
  );
  verify(counts.faces === 0, 'somebody was seen in the empty room');
  const expected = (cameras * seconds) / SCAN_INTERVAL_S;
  const isFull = share > FULL_SHARE || counts.scans < 0.9 * expected || counts.droppedScans > 0;
  const name = `${cameras} cameras of an empty room, ${detector}`;
  if (isFull)
    reporter.note(
      `${name}: too many here (${counts.scans} of ${expected} scans, ${(100 * share).toFixed(0)} % of all cores)`,
    );
  reporter.add({
    name: `${name}: CPU of each, server and ffmpeg`,
    unit: '% of a core',
    value: cpuPercent / cameras,
    // What does not fit is measured, and no promise.
    ...(isFull || detector !== 'yunet-n' ? {} : { target: { atMost: CPU_TARGET_PERCENT } }),
  });
  reporter.add({ name: `${name}: memory they add`, unit: 'MB', value: addedMB(memory, idleMB) });
  reporter.add({
    name: `${name}: delay of a scan, frame to result`,
    unit: 'ms',
    value: data.recognition.averageProcessingTime * 1000,
  });
  return isFull;
}

/** Resident memory at its highest. */
interface Memory {
  readonly serverMB: number;
  readonly ffmpegMB: number;
}

/** Never less than what the ffmpegs take, should the server's heap have shrunk since it was idle. */
const addedMB = ({ serverMB, ffmpegMB }: Memory, idleMB: number): number =>
  ffmpegMB + Math.max(0, serverMB - idleMB);

interface Counts {
  readonly scans: number;
  readonly droppedScans: number;
  readonly faces: number;
}

/** Server and ffmpeg together. */
async function watch({ pid, ask }: ServerProcess, seconds: number) {
  const processes = () => [pid, ...childrenOf(pid)];
  const cpuS = () => processes().reduce((total, each) => total + processCpuS(each), 0);
  const counts = async () => {
    const { data } = await ask<{ data: { sessions: { counts: Counts }[] } }>('/api/v1/recognition/sessions');
    return data.sessions[0]!.counts;
  };
  const before = {
    processes: String(processes()),
    cpuS: cpuS(),
    counts: await counts(),
    ownCpu: process.cpuUsage(),
  };
  const start = performance.now();
  const memory = { serverMB: 0, ffmpegMB: 0 };
  while (performance.now() - start < seconds * 1000) {
    const ffmpegMB = childrenOf(pid).reduce((total, each) => total + residentMB(each), 0);
    memory.serverMB = Math.max(memory.serverMB, residentMB(pid));
    memory.ffmpegMB = Math.max(memory.ffmpegMB, ffmpegMB);
    await pause(500);
  }
  const after = await counts();
  const elapsedS = (performance.now() - start) / 1000;
  verify(String(processes()) === before.processes, 'a camera was started again meanwhile');
  const usedS = cpuS() - before.cpuS;
  const own = process.cpuUsage(before.ownCpu);
  const ownS = (own.user + own.system) / 1e6;
  return {
    memory,
    cpuPercent: (100 * usedS) / elapsedS,
    share: (usedS + ownS) / elapsedS / availableParallelism(),
    counts: {
      scans: after.scans - before.counts.scans,
      droppedScans: after.droppedScans - before.counts.droppedScans,
      faces: after.faces - before.counts.faces,
    },
  };
}

/** What the start took is given back within seconds. */
async function lowestMB(pid: number, seconds: number): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let second = 0; second < seconds; second++) {
    await pause(1000);
    lowest = Math.min(lowest, residentMB(pid));
  }
  return lowest;
}

/** A server of its own for each, so that no session inherits memory of another; what it takes idle is measured first. */
async function withSession<T>(
  modelPaths: readonly string[],
  clip: H264Clip,
  cameraCount: number,
  body: (server: ServerProcess, idleMB: number) => Promise<T>,
): Promise<T> {
  const cameras = await Promise.all(Array.from({ length: cameraCount }, () => RtspServer.start({ clip })));
  const server = await startServerProcess({ modelPaths });
  try {
    const idleMB = await lowestMB(server.pid, IDLE_S);
    const random = seededRandom(7);
    const { data } = await server.ask<{ data: { activeCameras: number } }>(
      '/api/v1/recognition/process-session',
      {
        slotId: 1,
        roomId: 1,
        students: Array.from({ length: STUDENTS }, (_, i) => ({
          userId: i,
          fullName: `student ${i}`,
          rollNumber: `HE${i}`,
          embeddingVersion: 1,
          embeddingVector: Array.from(randomUnitVector(random)),
        })),
        cameras: cameras.map((camera, id) => ({ id, name: `camera ${id}`, rtspUrl: camera.url() })),
        config: { scanInterval: SCAN_INTERVAL_S, callbackUrl: 'http://127.0.0.1:1/' },
      },
    );
    verify(data.activeCameras === cameraCount, `${data.activeCameras} of ${cameraCount} cameras are active`);
    await pause(SETTLE_S * 1000);
    return await body(server, idleMB);
  } finally {
    await server.dispose();
    await Promise.all(cameras.map((camera) => camera.close()));
  }
}
