/**
 * What the attendance API promised: a face video to an embedding, and a class of 5,000 taken in while others are served.
 * `npm run bench -- attendance [--repeats 5] [--ffmpeg <path>]`; `cameras` measures the cameras.
 */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type FfmpegProgram, findFfmpeg } from '../server/cameras/ffmpeg-program.ts';
import { createLog } from '../server/log.ts';
import { startRecognizer } from '../server/recognition/recognizer.ts';
import { TEST_KEY } from '../test/support/attendance.ts';
import { type AttendanceServer, startAttendanceServer } from '../test/support/attendance-server.ts';
import { makeFaceClip, PERSON_A } from '../test/support/clips.ts';
import { openTestDatabase } from '../test/support/database.ts';
import { TEST_LIMITS } from '../test/support/pipeline.ts';
import { randomUnitVector, seededRandom } from '../test/support/vectors.ts';
import type { ModelSelection } from '../workers/protocol.ts';
import { type Reporter, spreadFigure, verify } from './harness.ts';
import { cpuWithChildrenS } from './processes.ts';
import { findYunet, SSD, WITHOUT_YUNET } from './selections.ts';

export const title = 'attendance: face videos to embeddings, a class of 5,000 students taken in';

const VIDEO_S = 30;
const STUDENTS = 5000;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const program = await findFfmpeg({ path: options.ffmpeg, searchPath: process.env.PATH });
  reporter.note(`ffmpeg ${program.version} (${program.source}), ${availableParallelism()} cores`);
  const repeats = Number(options.repeats ?? 5);
  const yunet = await findYunet();
  const folder = await mkdtemp(join(tmpdir(), 'facepool-bench-attendance-'));
  try {
    const video = join(folder, 'video.mp4');
    await makeFaceClip(program.path, { path: video, face: PERSON_A, durationS: VIDEO_S });
    if (yunet === null) reporter.note(WITHOUT_YUNET);
    else
      await withServer(program, yunet, async (server) => {
        await measureVideo(reporter, server, video, 'YuNet', 1.5, repeats);
        await measureIntake(reporter, server, folder, repeats);
      });
    await withServer(program, SSD, async (server) => {
      await measureVideo(reporter, server, video, 'SSD', 2.5, repeats);
      if (yunet === null) await measureIntake(reporter, server, folder, repeats);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withServer(
  program: FfmpegProgram,
  models: ModelSelection,
  body: (server: AttendanceServer) => Promise<void>,
): Promise<void> {
  const databases = await openTestDatabase();
  const recognizer = await startRecognizer({
    models,
    providers: ['cpu'],
    threads: availableParallelism(),
    limits: TEST_LIMITS,
    queueLimit: 256,
    log: createLog({ level: 'silent', format: 'json', secrets: new Set() }),
  });
  const server = await startAttendanceServer({ recognizer, database: databases.database, program });
  try {
    await body(server);
  } finally {
    await server.stop();
    await recognizer.close();
    await databases.close();
  }
}

async function measureVideo(
  reporter: Reporter,
  server: AttendanceServer,
  video: string,
  detector: string,
  atMostS: number,
  repeats: number,
): Promise<void> {
  await mkdir(server.uploads, { recursive: true });
  await copyFile(video, join(server.uploads, 'video.mp4'));
  const timesS: number[] = [];
  const cpuS: number[] = [];
  // The first warms the threads up.
  for (let repeat = -1; repeat < repeats; repeat++) {
    const cpuBeforeS = cpuWithChildrenS();
    const start = performance.now();
    const { status, body } = await server.ask('/api/v1/embeddings/generate', {
      videoUrl: '/uploads/video.mp4',
      submissionId: 1,
    });
    const elapsedS = (performance.now() - start) / 1000;
    verify(status === 200, `status ${status}: ${body.message}`);
    verify(body.data.framesWithFace === 2 * VIDEO_S, `${body.data.framesWithFace} frames with a face`);
    if (repeat < 0) continue;
    timesS.push(elapsedS);
    cpuS.push(cpuWithChildrenS() - cpuBeforeS);
  }
  reporter.add(
    spreadFigure(`${VIDEO_S} s of 1280x720 to an embedding, ${detector}`, 's', timesS, { atMost: atMostS }),
  );
  reporter.add(spreadFigure(`CPU of it, all cores and ffmpeg, ${detector}`, 's', cpuS));
}

/** The client is another process: making and sending 54 MB must not hold up the thread that is watched. */
async function measureIntake(
  reporter: Reporter,
  server: AttendanceServer,
  folder: string,
  repeats: number,
): Promise<void> {
  const random = seededRandom(5);
  const students = Array.from({ length: STUDENTS }, (_, i) => ({
    userId: i,
    fullName: `student ${i}`,
    rollNumber: `HE${i}`,
    embeddingVersion: 1,
    embeddingVector: Array.from(randomUnitVector(random)),
  }));
  const request = {
    slotId: 1,
    roomId: 1,
    students,
    // Refused at once: what is measured is everything but cameras.
    cameras: [{ id: 1, name: 'none', rtspUrl: 'rtsp://127.0.0.1:1/' }],
    config: { callbackUrl: 'http://127.0.0.1:1/' },
  };
  const path = join(folder, 'request.json');
  await writeFile(path, JSON.stringify(request));
  const timesMs: number[] = [];
  const delaysMs: number[] = [];
  for (let repeat = -1; repeat < repeats; repeat++) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const elapsedMs = await send(server, path);
    delay.disable();
    if (repeat < 0) continue;
    timesMs.push(elapsedMs);
    delaysMs.push(delay.max / 1e6);
  }
  reporter.add(spreadFigure(`${STUDENTS} students taken in, cameras aside`, 'ms', timesMs, { atMost: 1000 }));
  reporter.add(spreadFigure('longest hold-up of other requests meanwhile', 'ms', delaysMs, { atMost: 50 }));
}

const CLIENT = `
  import { readFileSync } from 'node:fs';
  const [url, path, key] = process.argv.slice(1);
  const body = readFileSync(path);
  const start = performance.now();
  const answer = await fetch(url, { method: 'POST', body, headers: { 'X-API-Key': key, 'Content-Type': 'application/json' } });
  const { code } = await answer.json();
  console.log(code, performance.now() - start);
`;

async function send(server: AttendanceServer, path: string): Promise<number> {
  const url = `${server.url}/api/v1/recognition/process-session`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', CLIENT, url, path, TEST_KEY], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const piece of child.stdout) output += piece;
  const [code, elapsedMs] = output.trim().split(' ');
  verify(code === 'ALL_CAMERAS_FAILED', `the request was answered with ${code}`);
  return Number(elapsedMs);
}
