/** Makes an MP4 of pictures with ffmpeg, as a process of its own at low priority. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { promisify } from 'node:util';
import { ServerError } from '../errors.ts';
import { jpegSize, type PictureSize } from './jpeg-size.ts';
import { matroskaFrame, matroskaHeader } from './mjpeg-matroska.ts';

export interface TimedPicture {
  /** Since the first picture, whole milliseconds. */
  readonly timeMs: number;
  /** Its header names a size. */
  readonly jpeg: Uint8Array;
}

export interface EncodeOptions {
  readonly ffmpegPath: string;
  /** What `frameTimingOption` found out about this ffmpeg. */
  readonly frameTiming: FrameTiming;
  readonly output: string;
  /** Of the video, even; pictures of other sizes are fitted into it. */
  readonly size: PictureSize;
  readonly signal: AbortSignal;
}

/** ffmpeg 5.1 renamed the option. */
export type FrameTiming = '-fps_mode' | '-vsync';

const KEY_FRAME_EVERY_S = 2;
const MAX_STDERR_CHARACTERS = 2000;

/** The arguments of ffmpeg: Matroska on its standard input, an MP4 that browsers play and seek as the output. */
export function encodeArguments(size: PictureSize, frameTiming: FrameTiming, output: string): string[] {
  const { width, height } = size;
  const filters = [
    `scale=${width}:${height}:force_original_aspect_ratio=decrease:out_range=tv`,
    `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2`,
    'setsar=1',
    'format=yuv420p',
  ];
  return [
    ...['-hide_banner', '-loglevel', 'error', '-y'],
    // Whatever stands in a picture, ffmpeg opens nothing on account of it.
    ...['-protocol_whitelist', 'pipe', '-f', 'matroska', '-i', 'pipe:0'],
    ...['-map', '0:v:0', '-an', '-vf', filters.join(',')],
    // Each picture keeps its own time, in milliseconds, instead of being put into the steps of a frame rate.
    ...[frameTiming, 'vfr', '-enc_time_base', '1:1000'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-threads', '2'],
    // At one frame a second, every 250th picture as usual would be too few to seek by.
    ...['-force_key_frames', `expr:gte(t,n_forced*${KEY_FRAME_EVERY_S})`],
    ...['-movflags', '+faststart', '-f', 'mp4', `file:${output}`],
  ];
}

/** Asks the program itself: version numbers of static builds are git hashes. @throws {ServerError} 503 where there is no ffmpeg */
export async function frameTimingOption(ffmpegPath: string): Promise<FrameTiming> {
  const { stdout } = await promisify(execFile)(ffmpegPath, ['-hide_banner', '-h', 'long'], {
    maxBuffer: 4 * 1024 * 1024,
  }).catch((error: unknown) => {
    throw ffmpegMissing(error);
  });
  return stdout.includes('-fps_mode') ? '-fps_mode' : '-vsync';
}

/**
 * @param pictures in the order of their times; at least one
 * @throws {ServerError} 507 where the disk is full, 500 where ffmpeg fails; the output may exist in part
 */
export async function encodeVideo(
  pictures: AsyncIterable<TimedPicture>,
  options: EncodeOptions,
): Promise<void> {
  const { ffmpegPath, frameTiming, output, size, signal } = options;
  const child = spawn(ffmpegPath, encodeArguments(size, frameTiming, output), {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_CHARACTERS);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  // Looked at below; until then a failure must not count as unhandled.
  ended.catch(() => {});
  // A process that has ended closes its end of the pipe: its exit tells more than that.
  child.stdin.on('error', () => {});
  lowerPriority(child);
  try {
    await feed(child, pictures);
    const code = await ended;
    if (code !== 0) throw ffmpegFailed(code, stderr);
  } catch (error) {
    child.kill('SIGKILL');
    await ended.catch(() => {});
    if (signal.aborted) throw recordingAborted(signal.reason);
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? ffmpegMissing(error) : error;
  }
}

async function feed(child: ChildProcess, pictures: AsyncIterable<TimedPicture>): Promise<void> {
  const stdin = child.stdin!;
  let isFirst = true;
  for await (const { timeMs, jpeg } of pictures) {
    if (stdin.destroyed || child.exitCode !== null) break;
    // A first picture that is lower than the header says would be taken for half of an interlaced one.
    if (isFirst) stdin.write(matroskaHeader(jpegSize(jpeg)!));
    isFirst = false;
    if (!stdin.write(matroskaFrame(timeMs, jpeg)))
      await Promise.race([once(stdin, 'drain'), once(stdin, 'close')]).catch(() => {});
  }
  stdin.end();
}

/** Recognition comes first. Not every system lets us. */
function lowerPriority(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {}
}

export const ffmpegMissing = (cause?: unknown) =>
  new ServerError(503, 'FFMPEG_MISSING', 'recordings need ffmpeg, and it cannot be started here', { cause });

function ffmpegFailed(code: number | null, stderr: string): ServerError {
  const cause = new Error(`ffmpeg ended with ${code}: ${stderr.trim()}`);
  return /No space left on device/.test(stderr)
    ? new ServerError(507, 'STORAGE_FULL', 'the disk is full: the recording could not be stored', { cause })
    : new ServerError(500, 'RECORDING_FAILED', 'the recording could not be made; the log has the reason', {
        cause,
      });
}

const recordingAborted = (cause: unknown) =>
  new ServerError(
    503,
    'RECORDING_ABORTED',
    'the recording was stopped: it took too long, or the server is stopping',
    {
      retryAfterS: 10,
      cause,
    },
  );
