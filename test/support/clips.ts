/** Face videos made of the sample photos: a face with some room around it, moved a little as by a hand that holds a phone. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { samplePath } from './samples.ts';

/** One face of a sample photo, in pixels of that photo. */
export interface SampleFace {
  readonly sample: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One face of any photo. */
export interface PhotoFace extends Omit<SampleFace, 'sample'> {
  readonly photo: string;
}

/** One person in two photos, and somebody else. */
export const PERSON_A: SampleFace = { sample: 1, x: 1474, y: 198, width: 202, height: 238 };
export const PERSON_A_AGAIN: SampleFace = { sample: 3, x: 1045, y: 215, width: 254, height: 317 };
export const PERSON_B: SampleFace = { sample: 6, x: 244, y: 506, width: 218, height: 252 };

/** Somebody who looks aside. */
export const TURNED_PERSON: SampleFace = { sample: 2, x: 880, y: 237, width: 184, height: 221 };

/** Filters of a clip that shows nobody, and of one in which a face is found but is of no use. */
export const NOBODY = 'drawbox=color=gray:t=fill';
export const BLURRED = 'boxblur=8:2';

export interface FaceClipOptions {
  readonly path: string;
  readonly face: SampleFace | PhotoFace;
  readonly durationS?: number;
  /** Of ffmpeg, applied to the 1280x720 picture. */
  readonly filter?: string;
  /** Shown after the first, as long again. */
  readonly followedBy?: SampleFace;
  readonly codec?: string;
  readonly format?: string;
  readonly pixelFormat?: string;
}

const MOVE = 'crop=1240:696:20+15*sin(t*2):12+8*cos(t*3),scale=1280:720';

export async function makeFaceClip(ffmpegPath: string, options: FaceClipOptions): Promise<string> {
  const { path, face, durationS = 3, filter, followedBy, codec = 'libx264', format = 'mp4' } = options;
  const { pixelFormat = 'yuv420p' } = options;
  const faces = followedBy ? [face, followedBy] : [face];
  const chains = faces.map(
    (shown, i) => `[${i}:v]${[framed(shown), ...(filter ? [filter] : []), MOVE].join(',')}[v${i}]`,
  );
  const joined = faces.length > 1 ? ';[v0][v1]concat=n=2:v=1[out]' : ';[v0]null[out]';
  const inputs = faces.flatMap((shown) => [
    ...['-loop', '1', '-framerate', '25', '-t', String(durationS)],
    ...['-i', 'photo' in shown ? shown.photo : samplePath(shown.sample)],
  ]);
  await promisify(execFile)(ffmpegPath, [
    ...['-y', '-nostdin', '-loglevel', 'error', ...inputs, '-filter_complex', chains.join(';') + joined],
    ...['-map', '[out]', '-pix_fmt', pixelFormat, '-c:v', codec, '-f', format, path],
  ]);
  return path;
}

/** The face takes up about two fifths of the height, where the photo has room for that. */
function framed({ x, y, width, height }: Omit<SampleFace, 'sample'>): string {
  const side = Math.round(height * 1.9);
  const top = Math.max(0, Math.round(y + height / 2 - side / 2));
  const left = Math.max(0, Math.round(x + width / 2 - side * 0.45));
  return `crop='min(iw-${left},${Math.round(side * 0.9)})':'min(ih-${top},${side})':${left}:${top},scale=-2:720,pad=1280:720:(ow-iw)/2:0:color=gray,setsar=1`;
}
