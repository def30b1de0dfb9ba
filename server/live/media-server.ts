/**
 * The mediasoup workers: pictures of cameras as WebRTC. Loaded only here, so that a machine without it starts all the same and says why.
 *
 * A worker that dies takes its transports with it and is replaced; a preview (preview.ts) then takes in its camera's RTP at the same
 * port in the new one, and viewers notice that no picture comes, and come back by themselves.
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { types } from 'mediasoup';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type MediaRoom, type Mediasoup, MediaWorker } from './media-worker.ts';
import type { RtcListening } from './rtc-addresses.ts';

export interface MediaServerOptions {
  /** Null looks where mediasoup's own install puts it. */
  readonly workerBin: string | null;
  readonly workers: number;
  readonly listening: RtcListening;
  readonly ports: { readonly min: number; readonly max: number };
  readonly log: Log;
  /** Fires when the server begins to end: workers that end from then on are not replaced. */
  readonly ending?: AbortSignal;
  readonly onRestart?: () => void;
}

/** A worker's share of the cameras, for as long as one is watched or taken in. */
export interface MediaPlace {
  /** @throws {ServerError} 503 where no worker comes up in time */
  room(): Promise<MediaRoom>;
  leave(): void;
}

export interface MediaServer {
  readonly rtpCapabilities: types.RtpCapabilities;
  readonly restarts: number;
  readonly pids: readonly number[];
  /** On the worker with the fewest. */
  place(): MediaPlace;
  close(): void;
}

/** Why there is no media server, in words that may be shown. */
export class MediaServerMissingError extends Error {
  override readonly name = 'MediaServerMissingError';
}

const ROOM_LIMIT_MS = 5000;
const INSTALL = 'run `npm run live:install`, or set MEDIASOUP_WORKER_BIN';

/** @throws {MediaServerMissingError} where mediasoup, its worker, or a free port is not there */
export async function startMediaServer(options: MediaServerOptions): Promise<MediaServer> {
  const mediasoup = await loadMediasoup();
  const workerBin = options.workerBin ?? installedWorker();
  await access(workerBin, constants.X_OK).catch(() => {
    const missing =
      options.workerBin === null
        ? `the media worker is not installed: ${INSTALL}`
        : `MEDIASOUP_WORKER_BIN: expected a program, received ${workerBin}`;
    throw new MediaServerMissingError(missing);
  });
  const started = await Promise.allSettled(
    Array.from({ length: options.workers }, () => MediaWorker.start({ ...options, mediasoup, workerBin })),
  );
  const workers = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = started.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    for (const worker of workers) worker.close();
    throw new MediaServerMissingError(whyNotStarted(failed.reason as Error, options.ports));
  }
  const { router } = await workers[0]!.room;
  return {
    rtpCapabilities: router.rtpCapabilities,
    get restarts() {
      return workers.reduce((sum, { restarts }) => sum + restarts, 0);
    },
    get pids() {
      return workers.flatMap(({ pid }) => pid ?? []);
    },
    place() {
      const worker = workers.reduce((least, other) => (other.load < least.load ? other : least));
      worker.load++;
      let left = false;
      return {
        room: () => withinLimit(worker),
        leave() {
          if (!left) worker.load--;
          left = true;
        },
      };
    },
    close() {
      for (const worker of workers) worker.close();
    },
  };
}

async function loadMediasoup(): Promise<Mediasoup> {
  try {
    return await import('mediasoup');
  } catch (cause) {
    throw new MediaServerMissingError(
      `the package mediasoup cannot be loaded (${(cause as Error).message.split('\n')[0]}): run \`npm ci\``,
      { cause },
    );
  }
}

/** Where the package's own install script puts it. */
function installedWorker(): string {
  const name = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';
  const folder = mediasoupFolder(createRequire(import.meta.url).resolve('mediasoup'));
  return join(folder, 'worker', 'out', 'Release', name);
}

/** @param entry the package's main module, `<folder>/node/lib/index.js` */
export const mediasoupFolder = (entry: string): string => dirname(dirname(dirname(entry)));

function whyNotStarted(error: Error, { min, max }: MediaServerOptions['ports']): string {
  if (/port|bind|address/i.test(error.message))
    return `the media worker cannot listen: no port from RTC_MIN_PORT ${min} to RTC_MAX_PORT ${max} is free (${error.message})`;
  return `the media worker does not start here (${error.message}): ${INSTALL}`;
}

async function withinLimit(worker: MediaWorker): Promise<MediaRoom> {
  let timer: NodeJS.Timeout | undefined;
  const unavailable = new ServerError(503, 'LIVE_UNAVAILABLE', 'the media server is being started again', {
    retryAfterS: 1,
  });
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, ROOM_LIMIT_MS, unavailable);
  });
  try {
    return await Promise.race([worker.room, limit]);
  } catch (cause) {
    throw cause instanceof ServerError
      ? cause
      : new ServerError(503, 'LIVE_UNAVAILABLE', unavailable.message, { retryAfterS: 1, cause });
  } finally {
    clearTimeout(timer);
  }
}
