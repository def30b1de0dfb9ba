import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CameraError } from '../../../server/cameras/camera-error.ts';
import { VideoUnreadableError, videoFrames } from '../../../server/cameras/video-frames.ts';
import type { VideoFrame } from '../../../server/cameras/y4m.ts';
import { childProcesses, ffmpegOrReason } from '../../support/ffmpeg.ts';

const { program, reason } = await ffmpegOrReason();

describe('the frames of a video file', { skip: reason, timeout: 60_000 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-video-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
    assert.deepEqual(childProcesses() ?? [], []);
  });

  async function video(name: string, ...args: string[]): Promise<string> {
    const path = join(folder, name);
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-f', 'lavfi', '-i', 'sine'];
    const command = [
      '-nostdin',
      '-loglevel',
      'error',
      ...source,
      '-t',
      '5',
      '-pix_fmt',
      'yuv420p',
      ...args,
      path,
    ];
    await promisify(execFile)(program!.path, command);
    return path;
  }

  async function framesOf(path: string, container: 'mov' | 'avi' = 'mov', everyMs = 500) {
    const frames: VideoFrame[] = [];
    const options = { path, container, everyMs, maxFrames: 100, limitMs: 20_000 };
    for await (const frame of videoFrames(program!, options)) frames.push(frame);
    return frames;
  }

  test('two a second, of MP4, MOV and AVI, with sound beside them', async () => {
    for (const [name, container] of [
      ['a.mp4', 'mov'],
      ['a.mov', 'mov'],
      ['a.avi', 'avi'],
    ] as const) {
      const frames = await framesOf(await video(name), container);
      // AVI has no times of its own: where its codec reorders, all are one frame late.
      assert.ok(
        frames.length === 10 || (container === 'avi' && frames.length === 11),
        `${frames.length} of ${name}`,
      );
      assert.ok(
        frames.every(
          ({ width, height, bytes }) => width === 320 && height === 180 && bytes.length === 86_400,
        ),
      );
    }
    assert.equal((await framesOf(join(folder, 'a.mp4'), 'mov', 1000)).length, 5);
  });

  test('none is lost where they are taken slowly', async () => {
    const path = await video('large.mp4', '-vf', 'scale=1280:720');
    let frames = 0;
    const options = { path, container: 'mov', everyMs: 40, maxFrames: 1000, limitMs: 30_000 } as const;
    for await (const _ of videoFrames(program!, options)) {
      if (++frames < 5) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(frames, 125);
  });

  test('odd sides become even, and the largest frames are made smaller', async () => {
    const odd = await framesOf(
      await video('odd.avi', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj444p', '-vf', 'scale=161:121'),
      'avi',
    );
    assert.deepEqual([odd[0]!.width, odd[0]!.height], [160, 120]);
    const path = await video('wide.mp4', '-frames:v', '1', '-an', '-vf', 'scale=5120:1440');
    const [wide] = await framesOf(path);
    assert.deepEqual([wide!.width, wide!.height], [3840, 1080]);
  });

  test('colours become BT.601 in limited range, whatever the file has', async () => {
    const [width, height] = [64, 64];
    // Pure red, by the weights and the range of each.
    const kinds = [
      { matrix: 'bt709', range: 'pc', format: 'yuvj420p', red: [54, 99, 255] },
      { matrix: 'bt709', range: 'tv', format: 'yuv420p', red: [63, 102, 240] },
      { matrix: 'smpte170m', range: 'tv', format: 'yuv420p', red: [81, 90, 240] },
    ];
    for (const { matrix, range, format, red } of kinds) {
      const raw = join(folder, 'red.yuv');
      const sizes = [width * height, (width * height) / 4, (width * height) / 4];
      await writeFile(raw, Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, red[i]))));
      const path = join(folder, `${matrix}-${range}.mp4`);
      const source = ['-f', 'rawvideo', '-pix_fmt', format, '-video_size', `${width}x${height}`, '-i', raw];
      const tags = [
        '-vf',
        `setparams=colorspace=${matrix}:range=${range}`,
        '-colorspace',
        matrix,
        '-color_range',
        range,
      ];
      await promisify(execFile)(program!.path, [
        '-loglevel',
        'error',
        ...source,
        ...tags,
        '-c:v',
        'libx264',
        path,
      ]);
      const [frame] = await framesOf(path);
      const colour = [0, sizes[0]!, sizes[0]! + sizes[1]!].map((at) => frame!.bytes[at]!);
      const isRed = kinds[2]!.red.every((value, i) => Math.abs(value - colour[i]!) <= 4);
      assert.ok(isRed, `${matrix} ${range}: ${colour}`);
    }
  });

  test('leaving early ends ffmpeg', async () => {
    const options = {
      path: await video('b.mp4'),
      container: 'mov',
      everyMs: 40,
      maxFrames: 1000,
      limitMs: 20_000,
    } as const;
    for await (const _ of videoFrames(program!, options)) break;
    assert.deepEqual(childProcesses() ?? [], []);
  });

  test('what is no video, of another kind than said, or no file is named without its path', async () => {
    const noise = join(folder, 'secret-name.mp4');
    await writeFile(noise, Buffer.alloc(10_000, 7));
    const sound = join(folder, 'sound.mp4');
    await promisify(execFile)(program!.path, [
      '-loglevel',
      'error',
      '-f',
      'lavfi',
      '-i',
      'sine',
      '-t',
      '1',
      sound,
    ]);
    const whole = await readFile(await video('c.mp4'));
    const beheaded = join(folder, 'beheaded.mp4');
    await writeFile(beheaded, whole.subarray(0, whole.length / 2));
    for (const path of [noise, sound, beheaded, join(folder, 'secret-none.mp4')])
      await assert.rejects(
        framesOf(path),
        (error) => error instanceof VideoUnreadableError && !error.message.includes(folder),
        path,
      );
    await assert.rejects(framesOf(join(folder, 'c.mp4'), 'avi'), VideoUnreadableError);
  });

  test('a playlist that names other files is not followed', async () => {
    const path = join(folder, 'list.mp4');
    await writeFile(path, `#EXTM3U\n#EXTINF:1,\nfile://${await video('d.mp4')}\n#EXT-X-ENDLIST\n`);
    await assert.rejects(framesOf(path), VideoUnreadableError);
  });

  test('a limit of time and a cancelled request end it', async () => {
    const path = await video('e.mp4', '-vf', 'scale=1280:720');
    const options = { path, container: 'mov', everyMs: 40, maxFrames: 1000 } as const;
    const faultOf = async (more: { limitMs: number; signal?: AbortSignal }) => {
      try {
        for await (const _ of videoFrames(program!, { ...options, ...more }));
      } catch (error) {
        return error instanceof CameraError ? error.fault : error;
      }
    };
    assert.equal(await faultOf({ limitMs: 1 }), 'timeout');
    assert.equal(await faultOf({ limitMs: 20_000, signal: AbortSignal.abort() }), 'cancelled');
  });
});
