import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import pino from 'pino';
import sharp from 'sharp';
import { type FrameStore, openFrames } from '../../../server/devices/frames.ts';
import {
  openRecordings,
  type Recordings,
  type RecordingsOptions,
} from '../../../server/devices/recordings.ts';
import { createMetrics } from '../../../server/metrics.ts';

const hasFfmpeg = (() => {
  try {
    execFileSync('ffprobe', ['-version']);
    return true;
  } catch {
    return false;
  }
})();
const skip = hasFfmpeg ? false : 'ffmpeg and ffprobe are not on the PATH';

let folder = '';
const log = pino({ level: 'silent' });
const opened: (Recordings | FrameStore)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-recordings-'));
});
afterEach(async () => {
  for (const part of opened.splice(0)) await part.close();
  await rm(folder, { recursive: true, force: true });
});

const frameFolder = () => join(folder, 'frames');
const videoFolder = () => join(folder, 'recordings');

/** Frames that came at these times before now, written as an earlier run would have left them. */
async function framesAt(
  deviceId: string,
  agesMs: readonly number[],
  { widthPx = 64, heightPx = 48, nowMs = Date.now() } = {},
): Promise<void> {
  for (const [i, ageMs] of agesMs.entries()) {
    const grey = Math.round((255 * i) / agesMs.length);
    const background = { r: grey, g: grey, b: grey };
    const jpeg = await sharp({ create: { width: widthPx, height: heightPx, channels: 3, background } })
      .jpeg()
      .toBuffer();
    await writeFile(join(frameFolder(), `${deviceId}_${nowMs - ageMs}.jpg`), jpeg);
  }
}

async function open(options: Partial<RecordingsOptions> = {}): Promise<Recordings> {
  const frames = await openFrames({
    folder: frameFolder(),
    retentionS: 600,
    storageBytes: 1e9,
    log,
    metrics: createMetrics(),
  });
  const recordings = await openRecordings({
    folder: videoFolder(),
    frames,
    ffmpegPath: 'ffmpeg',
    storageBytes: 1e9,
    log,
    ...options,
  });
  opened.push(recordings, frames);
  return recordings;
}

interface Probe {
  readonly streams: { codec_name: string; pix_fmt: string; width: number; height: number }[];
  readonly frames: { pts_time: string; key_frame: number }[];
}

async function probe(name: string): Promise<Probe> {
  const { stdout } = await promisify(execFile)('ffprobe', [
    ...['-v', 'error', '-print_format', 'json', '-show_streams', '-show_frames'],
    join(videoFolder(), name),
  ]);
  return JSON.parse(stdout) as Probe;
}

const timesOf = ({ frames }: Probe) => frames.map(({ pts_time }) => Math.round(Number(pts_time) * 1000));

describe('recordings', { skip }, () => {
  beforeEach(async () => {
    await (await open()).close();
  });

  test('a video has the frames of the last 30 s in the order and at the pace they came', async () => {
    await framesAt('cam', [40_000, 31_000, 20_000, 17_000, 16_877, 16_000, 4000, 3300]);
    const made = await (await open()).record('cam');
    assert.equal(made!.frameCount, 6);
    assert.match(made!.name, /^cam_\d+\.mp4$/);
    const video = await probe(made!.name);
    // The last picture comes once more, to end when it would have been followed by another.
    assert.deepEqual(timesOf(video), [0, 3000, 3123, 4000, 16_000, 16_700, 17_400]);
    assert.deepEqual(
      video.streams.map(({ codec_name, pix_fmt, width, height }) => [codec_name, pix_fmt, width, height]),
      [['h264', 'yuv420p', 64, 48]],
    );
    assert.equal(video.frames[1]!.key_frame, 1, 'a key frame at least every two seconds');
  });

  test('a browser can start and seek before it has all of the file', async () => {
    await framesAt('cam', [5000, 4000]);
    const made = await (await open()).record('cam');
    const bytes = await readFile(join(videoFolder(), made!.name));
    assert.ok(bytes.indexOf('moov') > 0 && bytes.indexOf('moov') < bytes.indexOf('mdat'));
    assert.equal((await stat(join(videoFolder(), made!.name))).mode & 0o077, 0);
  });

  test('frames of one device are not those of another whose id begins alike', async () => {
    await framesAt('cam', [5000, 4000]);
    await framesAt('cam_2', [4500, 3500, 2500]);
    const recordings = await open();
    assert.equal((await recordings.record('cam'))!.frameCount, 2);
    assert.equal((await recordings.record('cam_2'))!.frameCount, 3);
    assert.equal((await recordings.record(null))!.frameCount, 5);
    assert.equal(await recordings.record('cam_3'), null);
  });

  test('frames of different sizes share one picture that holds the largest, with even sides', async () => {
    const nowMs = Date.now();
    await framesAt('small', [5000, 3000], { nowMs });
    await framesAt('odd', [4000], { widthPx: 101, heightPx: 75, nowMs });
    const made = await (await open()).record(null);
    const [stream] = (await probe(made!.name)).streams;
    assert.deepEqual([stream!.width % 2, stream!.height % 2], [0, 0]);
    assert.ok(Math.abs(stream!.width - 101) <= 1 && Math.abs(stream!.height - 75) <= 1);
    assert.deepEqual(timesOf(await probe(made!.name)), [0, 1000, 2000, 3000]);
  });

  test('one frame alone makes a video of a second', async () => {
    await framesAt('cam', [1000]);
    const made = await (await open()).record('cam');
    assert.equal(made!.frameCount, 1);
    assert.deepEqual(timesOf(await probe(made!.name)), [0, 1000]);
  });

  test('a frame that is no picture is left out', async () => {
    await framesAt('cam', [5000, 4000]);
    await writeFile(join(frameFolder(), `cam_${Date.now() - 4500}.jpg`), 'no picture');
    assert.equal((await (await open()).record('cam'))!.frameCount, 2);
  });

  test('several at once are made one after another, and more than may wait are refused and counted', async () => {
    await framesAt('cam', [3000, 2000]);
    let refused = 0;
    const recordings = await open({ onRefused: () => refused++ });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => recordings.record('cam')));
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value!.name] : []));
    assert.equal(made.length, 8);
    assert.equal(new Set(made).size, 8);
    assert.equal(refused, 4);
    assert.deepEqual((await readdir(videoFolder())).sort(), made.sort());
    assert.equal((outcomes.at(-1) as PromiseRejectedResult).reason.status, 429);
  });

  test('a recording that fails leaves nothing and does not hinder the next', async () => {
    await framesAt('cam', [3000, 2000]);
    const failing = join(folder, 'ffmpeg');
    await writeFile(
      failing,
      '#!/bin/sh\ncase "$*" in *long*) exit 0;; esac\nfor last; do :; done\necho half > "$(echo "$last" | cut -c6-)"\nexit 1\n',
      { mode: 0o755 },
    );
    const recordings = await open({ ffmpegPath: failing });
    await assert.rejects(recordings.record('cam'), { status: 500, code: 'RECORDING_FAILED' });
    assert.deepEqual(await readdir(videoFolder()), []);
    assert.deepEqual(recordings.list(), []);
    await rm(failing);
    await assert.rejects((await open({ ffmpegPath: failing })).record('cam'), {
      status: 503,
      code: 'FFMPEG_MISSING',
    });
    assert.equal((await (await open()).record('cam'))!.frameCount, 2);
  });

  test('what a crash left in the middle of a recording is never shown and is removed at the next start', async () => {
    await writeFile(join(videoFolder(), 'cam_1700000000000.mp4.part'), 'half');
    const recordings = await open();
    assert.deepEqual(recordings.list(), []);
    assert.equal(await recordings.open('cam_1700000000000.mp4.part'), null);
    assert.deepEqual(await readdir(videoFolder()), []);
  });

  test('closing stops a recording, and it leaves nothing', async () => {
    await framesAt('cam', [3000, 2000]);
    const hanging = join(folder, 'ffmpeg');
    await writeFile(
      hanging,
      '#!/bin/sh\ncase "$*" in *long*) exit 0;; esac\nfor last; do :; done\necho half > "$(echo "$last" | cut -c6-)"\nexec sleep 60\n',
      { mode: 0o755 },
    );
    const recordings = await open({ ffmpegPath: hanging });
    const made = recordings.record('cam');
    const rejected = assert.rejects(made, { status: 503, code: 'RECORDING_ABORTED' });
    while ((await readdir(videoFolder())).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await recordings.close();
    await rejected;
    assert.deepEqual(await readdir(videoFolder()), []);
  });

  test('the list is newest first, and survives a restart; what is deleted is gone', async () => {
    await framesAt('cam', [3000, 2000]);
    const recordings = await open();
    const first = await recordings.record('cam');
    const second = await recordings.record(null);
    const names = (await open()).list().map(({ name }) => name);
    assert.deepEqual(names, [second!.name, first!.name]);
    assert.equal(await recordings.remove(second!.name), true);
    assert.equal(await recordings.remove(second!.name), false);
    assert.equal(await recordings.remove('../frames/x.mp4'), false);
    assert.deepEqual(await readdir(videoFolder()), [first!.name]);
  });

  test('where recordings take all of their space, no more are made and none is deleted', async () => {
    await framesAt('cam', [3000, 2000]);
    const recordings = await open({ storageBytes: 1 });
    await recordings.record('cam');
    await assert.rejects(recordings.record('cam'), { status: 507, code: 'RECORDINGS_FULL' });
    assert.equal(recordings.list().length, 1);
  });
});
