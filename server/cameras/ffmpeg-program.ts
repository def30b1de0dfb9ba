/** Which ffmpeg there is, and what it can do: found out once. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import type { FfmpegDialect } from './ffmpeg-args.ts';

export interface FfmpegProgram extends FfmpegDialect {
  /** Absolute. */
  readonly path: string;
  readonly source: 'setting' | 'PATH' | 'package';
  /** In its own words; a static build may give a commit. */
  readonly version: string;
  /** The last year of its copyright: how old it is, where the version does not tell. */
  readonly year: number | null;
  /** Of the video formats that cameras and phones send, those it decodes. */
  readonly decoders: readonly string[];
  /** What the operator should know before it sees video from strangers. */
  readonly warnings: readonly string[];
}

export interface FfmpegSearch {
  /** From the settings: this one or none. */
  readonly path?: string | null;
  /** Folders to look in, as PATH writes them. */
  readonly searchPath?: string;
  /** Whether to end with the binary of the npm package; for tests. */
  readonly usePackage?: boolean;
}

/** No usable ffmpeg; the message says what was tried and what helps. */
export class FfmpegMissingError extends Error {
  override readonly name = 'FfmpegMissingError';
}

const ASKED_DECODERS = ['h264', 'hevc', 'mjpeg', 'mpeg4', 'vp8', 'vp9', 'av1', 'libdav1d'];
const ANSWER_LIMIT_MS = 10_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** Security fixes reach about this many years of releases. */
const OLD_BEFORE_YEAR = 2022;
const executable = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';

/** @throws FfmpegMissingError where there is none, or the one that was named cannot be used */
export async function findFfmpeg({
  path,
  searchPath = '',
  usePackage = true,
}: FfmpegSearch): Promise<FfmpegProgram> {
  if (path) {
    if (!isAbsolute(path))
      throw new FfmpegMissingError(`FFMPEG_PATH: expected an absolute path, received ${path}`);
    return examine(path, 'setting');
  }
  for (const folder of searchPath.split(delimiter)) {
    const candidate = join(folder, executable);
    if (isAbsolute(folder) && (await isExecutable(candidate))) return examine(candidate, 'PATH');
  }
  const packaged = usePackage ? packagedFfmpeg() : null;
  if (packaged !== null && (await isExecutable(packaged))) return examine(packaged, 'package');
  throw new FfmpegMissingError(
    'no ffmpeg was found: neither FFMPEG_PATH, nor the PATH, nor the package @ffmpeg-installer/ffmpeg has one; ' +
      'install the ffmpeg of the operating system, or set FFMPEG_PATH',
  );
}

async function examine(path: string, source: FfmpegProgram['source']): Promise<FfmpegProgram> {
  const [about, rtsp, options, decoderList] = await Promise.all([
    ask(path, ['-version']),
    ask(path, ['-hide_banner', '-h', 'demuxer=rtsp']),
    ask(path, ['-hide_banner', '-h', 'long']),
    ask(path, ['-hide_banner', '-decoders']),
  ]);
  const version = /^ffmpeg version (\S+)/.exec(about)?.[1];
  if (version === undefined) throw new FfmpegMissingError(`${path} does not answer as ffmpeg does`);
  if (!/^\s*-rtsp_transport\s/m.test(rtsp))
    throw new FfmpegMissingError(`${path} (${version}) was built without RTSP: cameras need it`);
  const years = /Copyright \(c\) (?:\d{4}-)?(\d{4})/.exec(about)?.[1];
  const year = years === undefined ? null : Number(years);
  const decoders = ASKED_DECODERS.filter((name) =>
    new RegExp(`^\\s*V\\S*\\s+${name}\\s`, 'm').test(decoderList),
  );
  return {
    path,
    source,
    version,
    year,
    decoders,
    socketTimeoutOption: /^\s*-stimeout\s/m.test(rtsp) ? '-stimeout' : '-timeout',
    passthrough: /^-fps_mode\b/m.test(options) ? ['-fps_mode', 'passthrough'] : ['-vsync', '0'],
    warnings: warningsAbout(version, source, year, decoders),
  };
}

function warningsAbout(
  version: string,
  source: FfmpegProgram['source'],
  year: number | null,
  decoders: readonly string[],
): string[] {
  const warnings: string[] = [];
  if (source === 'package' || (year !== null && year < OLD_BEFORE_YEAR))
    warnings.push(
      `ffmpeg ${version}${source === 'package' ? ' of the package @ffmpeg-installer/ffmpeg' : ''} is of ${year ?? 'unknown age'} ` +
        'and has known security holes: DO NOT let it see video from untrusted cameras or people; ' +
        'install the ffmpeg of the operating system, or set FFMPEG_PATH',
    );
  for (const needed of ['h264', 'hevc'])
    if (!decoders.includes(needed)) warnings.push(`ffmpeg ${version} does not decode ${needed}`);
  return warnings;
}

async function ask(path: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(path, args, {
      timeout: ANSWER_LIMIT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_ANSWER_BYTES,
      env: {},
    });
    return stdout;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new FfmpegMissingError(`${path} cannot be run as ffmpeg: ${why}`, { cause });
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The package proper finds its binary on import and throws where there is none; its parts carry the file. */
function packagedFfmpeg(): string | null {
  const { resolve } = createRequire(import.meta.url);
  try {
    const part = `@ffmpeg-installer/${process.platform}-${process.arch}/package.json`;
    return join(dirname(resolve(part)), executable);
  } catch {
    return null;
  }
}
