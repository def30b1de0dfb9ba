/** Face videos: one embedding of the person in it, and whether a video is good enough to be sent in. */
import { setMaxListeners } from 'node:events';
import type { AnalyseResult } from '../../workers/protocol.ts';
import { badRequest, overloaded, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AttendanceMetrics } from './attendance-metrics.ts';
import { facesOfVideo, type ReadVideoFrames } from './video-faces.ts';
import {
  containerOf,
  openVideo,
  processingFailed,
  type VideoContainer,
  type VideoPlaces,
} from './video-file.ts';
import type { LookAtFrame } from './video-frame.ts';
import { hasOtherPerson, mainFace, weightedMean } from './video-person.ts';
import { assessVideo, type JudgedFace, type VideoAssessment } from './video-quality.ts';

export interface FaceVideosOptions {
  readonly places: VideoPlaces;
  readonly readFrames: ReadVideoFrames;
  readonly look: LookAtFrame;
  readonly threads: number;
  /** Below it a video gives no embedding. */
  readonly minQuality: number;
  readonly metrics: AttendanceMetrics;
  readonly log: Log;
}

export interface FaceEmbedding {
  /** Shape [512], unit length. */
  readonly embedding: Float32Array;
  readonly quality: number;
  readonly totalFrames: number;
  readonly framesWithFace: number;
  readonly processingS: number;
}

export interface FaceVideos {
  /** @throws {ServerError} 400 NO_FACE_DETECTED, LOW_QUALITY_FACE, MULTIPLE_FACES, INVALID_VIDEO_URL; 404; 429; 500 VIDEO_PROCESSING_FAILED */
  embed(videoUrl: string, signal: AbortSignal): Promise<FaceEmbedding>;
  /** @param path of a file that is there @throws {ServerError} 400 INVALID_FILE_FORMAT, NO_FACE_DETECTED; 429; 500 VIDEO_PROCESSING_FAILED */
  validate(path: string, signal: AbortSignal): Promise<VideoAssessment>;
}

const EMBED_EVERY_MS = 500;
const VALIDATE_EVERY_MS = 1000;
/** Two minutes: what comes after them is not looked at. */
const MAX_EMBED_FRAMES = 240;
const MAX_VALIDATE_FRAMES = 120;
const VIDEO_LIMIT_MS = 120_000;
/** Each has an ffmpeg of its own; more wait. */
const MAX_VIDEOS_AT_ONCE = 2;
const MAX_WAITING_VIDEOS = 32;
/** Faces whose quality comes near the best one's make up the embedding. */
const GOOD_SHARE = 0.8;

export function createFaceVideos(options: FaceVideosOptions): FaceVideos {
  const { places, readFrames, look, threads, metrics, log } = options;
  const turns = createTurns();

  async function facesIn(
    path: string,
    container: VideoContainer,
    everyMs: number,
    maxFrames: number,
    signal: AbortSignal,
  ) {
    setMaxListeners(0, signal);
    const video = { path, container, everyMs, maxFrames, limitMs: VIDEO_LIMIT_MS, signal };
    try {
      return await facesOfVideo({
        readFrames,
        look,
        framesAtOnce: threads + 1,
        video,
        returnEmbeddings: true,
      });
    } catch (error) {
      if (error instanceof ServerError) throw error;
      log.warn({ err: error }, 'a video could not be read');
      const isSlow = (error as { fault?: string }).fault === 'timeout';
      throw processingFailed(
        isSlow ? `It took more than ${VIDEO_LIMIT_MS / 1000} seconds` : 'Corrupted video file',
      );
    }
  }

  async function embedFile(path: string, signal: AbortSignal, startedMs: number): Promise<FaceEmbedding> {
    const container = await containerOf(path);
    if (container === null) throw processingFailed('Not an MP4, MOV or AVI file');
    const results = await facesIn(path, container, EMBED_EVERY_MS, MAX_EMBED_FRAMES, signal);
    const faces = mainFaces(results);
    if (faces.length === 0)
      throw badRequest(
        'NO_FACE_DETECTED',
        'No face detected in video. Please record video with clear face visibility.',
      );
    const best = faces.reduce((a, b) => (b.quality > a.quality ? b : a));
    const good = faces.filter(({ quality }) => quality >= GOOD_SHARE * best.quality);
    const quality = Math.round((good.reduce((sum, face) => sum + face.quality, 0) / good.length) * 100) / 100;
    if (hasOtherPerson(results, best.face.embedding!))
      throw badRequest(
        'MULTIPLE_FACES',
        'More than one person in video. Please record video with only one person in it.',
      );
    if (quality < options.minQuality)
      throw badRequest(
        'LOW_QUALITY_FACE',
        `Face quality too low (score: ${quality.toFixed(2)}). Please record in better lighting and ensure face is clearly visible.`,
      );
    const processingS = Math.round(performance.now() - startedMs) / 1000;
    metrics.videoQuality.observe(quality);
    metrics.videoSeconds.observe(processingS);
    return {
      embedding: weightedMean(good),
      quality,
      totalFrames: results.length,
      framesWithFace: faces.length,
      processingS,
    };
  }

  return {
    async embed(videoUrl, signal) {
      const startedMs = performance.now();
      try {
        const answer = await turns(async () => {
          const file = await openVideo(videoUrl, places);
          try {
            return await embedFile(file.path, signal, startedMs);
          } finally {
            await file.release();
          }
        });
        metrics.videos.inc({ outcome: 'embedded' });
        return answer;
      } catch (error) {
        metrics.videos.inc({
          outcome: error instanceof ServerError && error.status < 500 ? 'refused' : 'failed',
        });
        throw error;
      }
    },

    validate: (path, signal) =>
      turns(async () => {
        const container = await containerOf(path);
        if (container === null)
          throw badRequest('INVALID_FILE_FORMAT', 'Invalid video format. Allowed: MP4, MOV, AVI');
        const results = await facesIn(path, container, VALIDATE_EVERY_MS, MAX_VALIDATE_FRAMES, signal);
        const faces = mainFaces(results);
        if (faces.length === 0) throw badRequest('NO_FACE_DETECTED', 'No face detected in video');
        return assessVideo(faces, results.length);
      }),
  };
}

const mainFaces = (results: readonly AnalyseResult[]): JudgedFace[] =>
  results.flatMap((result) => mainFace(result) ?? []);

/** A few at a time, a bounded line behind them. */
function createTurns() {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= MAX_VIDEOS_AT_ONCE) {
      if (waiting.length >= MAX_WAITING_VIDEOS) throw overloaded(10);
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      // The turn is handed on without being given up in between.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
