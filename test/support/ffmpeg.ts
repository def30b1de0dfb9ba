/** The ffmpeg that tests run with: FFMPEG_PATH, else the PATH's, else the package's; and what is left of the processes it started. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { FfmpegMissingError, type FfmpegProgram, findFfmpeg } from '../../server/cameras/ffmpeg-program.ts';
import { type ClipOptions, type H264Clip, makeH264Clip } from './h264-clip.ts';

export async function ffmpegOrReason(): Promise<{ program: FfmpegProgram | null; reason: string | false }> {
  try {
    const { FFMPEG_PATH: path, PATH: searchPath } = process.env;
    return { program: await findFfmpeg({ path, searchPath }), reason: false };
  } catch (error) {
    if (error instanceof FfmpegMissingError) return { program: null, reason: error.message };
    throw error;
  }
}

/** A clip that costs little to decode and moves all over. */
export const smallClip = (program: FfmpegProgram, options: ClipOptions = {}): Promise<H264Clip> =>
  makeH264Clip(program.path, { width: 160, height: 120, ...options });

/** Within a `describe`: the clip that its tests play, made before them; after them none of our processes may be left. */
export function playedClip(program: FfmpegProgram | null, options: ClipOptions): () => H264Clip {
  let clip: H264Clip;
  before(async () => {
    clip = await smallClip(program!, options);
  });
  after(() => assert.deepEqual(childProcesses() ?? [], []));
  return () => clip;
}

/**
 * Children of this process that are still there, zombies too; null where the system does not tell.
 * @param name of the program, where only its processes count; the system keeps 15 characters of it
 */
export function childProcesses(name?: RegExp): number[] | null {
  if (process.platform !== 'linux') return null;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === process.pid && (name === undefined || name.test(nameOf(pid))));
}

/** Of live pictures: what makes them, and what sends them. */
export const LIVE_PROGRAMS = /^(?:ffmpeg|mediasoup-worke)/;

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function parentOf(pid: number): number | null {
  try {
    // The second field, the name, may hold spaces and brackets.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(parent);
  } catch {
    return null;
  }
}
