/** Where a face video lies: in the uploads folder, or fetched from an address. */
import { randomUUID } from 'node:crypto';
import { open, realpath, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { ServerError } from '../errors.ts';
import { DownloadError, download } from './download.ts';
import { httpUrl, type UrlPolicy } from './url-policy.ts';

/** By content: MP4 and MOV are one format. */
export type VideoContainer = 'mov' | 'avi';

export interface VideoFile {
  /** Absolute, links resolved. */
  readonly path: string;
  /** Removes what was fetched; what lies in the uploads folder stays. */
  release(): Promise<void>;
}

export interface VideoPlaces {
  /** Null where none is set: then only addresses are taken. */
  readonly uploadsFolder: string | null;
  readonly tempFolder: string;
  readonly policy: UrlPolicy;
}

/** Fetched videos may be larger than uploads: they were taken in by the backend already. */
const MAX_DOWNLOAD_BYTES = 200 * 1024 * 1024;
const DOWNLOAD_LIMIT_MS = 60_000;
const UPLOADS_PREFIX = '/uploads/';

/** @throws {ServerError} 404 VIDEO_FILE_NOT_FOUND, 400 INVALID_VIDEO_URL for places that are not allowed, 500 VIDEO_PROCESSING_FAILED */
export async function openVideo(videoUrl: string, places: VideoPlaces): Promise<VideoFile> {
  if (/^[a-z][a-z0-9+.-]*:/i.test(videoUrl)) return fetched(videoUrl, places);
  const path = await pathInUploads(videoUrl, places.uploadsFolder);
  return { path, release: async () => {} };
}

export const processingFailed = (why: string) =>
  new ServerError(500, 'VIDEO_PROCESSING_FAILED', `Failed to process video: ${why}`);

const invalidVideoUrl = (why: string) =>
  new ServerError(400, 'INVALID_VIDEO_URL', `Video URL is not allowed: ${why}`);

const fileNotFound = (shown: string) =>
  new ServerError(404, 'VIDEO_FILE_NOT_FOUND', `Video file not found: ${shown.slice(0, 500)}`);

/** `/uploads/a.mp4` and `a.mp4` are the same file; an absolute path may also name one that lies in the folder. */
async function pathInUploads(videoUrl: string, uploadsFolder: string | null): Promise<string> {
  if (uploadsFolder === null) throw fileNotFound(videoUrl);
  if (videoUrl.includes('\0') || videoUrl.split(/[\\/]/).includes('..'))
    throw invalidVideoUrl('it leads out of the uploads folder');
  const root = await realpath(uploadsFolder).catch(() => null);
  if (root === null) throw fileNotFound(videoUrl);
  const isInside = (path: string) => path.startsWith(root.endsWith(sep) ? root : root + sep);
  let path: string;
  if (videoUrl.startsWith(UPLOADS_PREFIX)) path = join(root, videoUrl.slice(UPLOADS_PREFIX.length));
  else if (!isAbsolute(videoUrl)) path = join(root, videoUrl);
  else if (isInside(resolve(videoUrl)) || resolve(videoUrl).startsWith(resolve(uploadsFolder) + sep))
    path = videoUrl;
  else throw invalidVideoUrl('it leads out of the uploads folder');
  const real = await realpath(path).catch(() => null);
  if (real === null) throw fileNotFound(videoUrl);
  if (!isInside(real)) throw invalidVideoUrl('it leads out of the uploads folder');
  if (!(await stat(real)).isFile()) throw fileNotFound(videoUrl);
  return real;
}

async function fetched(videoUrl: string, { tempFolder, policy }: VideoPlaces): Promise<VideoFile> {
  const url = httpUrl(videoUrl);
  if (url === null) throw invalidVideoUrl('expected a path under /uploads/, or an http or https URL');
  const path = join(tempFolder, `${randomUUID()}.video`);
  const release = () => rm(path, { force: true });
  try {
    await download(url, { policy, path, maxBytes: MAX_DOWNLOAD_BYTES, timeoutMs: DOWNLOAD_LIMIT_MS });
    return { path: await realpath(path), release };
  } catch (error) {
    await release();
    if (!(error instanceof DownloadError)) throw error;
    switch (error.fault) {
      case 'forbidden':
        throw invalidVideoUrl(error.message);
      case 'not found':
        // Without the name and the password that may stand in it.
        throw fileNotFound(`${url.origin}${url.pathname}`);
      default:
        throw processingFailed(`the video ${error.message}`);
    }
  }
}

/** Atoms that a QuickTime file may begin with when it has no `ftyp`. */
const QUICKTIME_ATOMS = ['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'];
/** Pictures in the same box format. */
const PICTURE_BRANDS = [
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'mif1',
  'msf1',
  'avif',
  'avis',
  'crx ',
];

/** What a file is by its first bytes; null where it is none of these. */
export async function containerOf(path: string): Promise<VideoContainer | null> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith('RIFF') && head.slice(8, 12) === 'AVI ') return 'avi';
    const atom = head.slice(4, 8);
    if (atom === 'ftyp') return PICTURE_BRANDS.includes(head.slice(8, 12)) ? null : 'mov';
    return QUICKTIME_ATOMS.includes(atom) ? 'mov' : null;
  } finally {
    await file.close();
  }
}
