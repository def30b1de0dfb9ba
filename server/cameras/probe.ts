/** A look at a camera: whether it can be reached, what it sends and how evenly, and one picture of it. */
import type { CameraAddress } from './camera-address.ts';
import { CameraError, explainExit, timeoutError } from './camera-error.ts';
import { startFfmpeg } from './ffmpeg.ts';
import { firstFramesArgs } from './ffmpeg-args.ts';
import type { LogEvent } from './ffmpeg-log.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import type { VideoFrame } from './y4m.ts';

/**
 * `stable`: ten whole pictures came, none more than twice the usual time (the median) after the one before by the camera's own clock,
 * none more than a second and three times the usual time by ours. `unstable`: ten came, but not so, or some were damaged, or the
 * connection broke after the first. `unknown`: fewer came in time, and nothing broke.
 */
export type Stability = 'stable' | 'unstable' | 'unknown';

export interface CameraProbe {
  /** Frames a second by the camera's own clock, else by ours, else as it declares; null where one frame is all there was. */
  readonly frameRate: number | null;
  readonly width: number;
  readonly height: number;
  /** From the start of the connection to the first picture: what a person waits for, a camera's wait for its key frame included. */
  readonly latencyMs: number;
  readonly stability: Stability;
  readonly frames: number;
  readonly codec: string | null;
}

export interface ProbeOptions {
  readonly program: FfmpegProgram;
  readonly address: CameraAddress;
  /** For all of it; 10 s unless given. */
  readonly limitMs?: number;
  /** Gives up when it fires, for instance because the client is gone. */
  readonly signal?: AbortSignal;
}

const PROBE_FRAMES = 10;
const PROBE_LIMIT_MS = 10_000;
const MAX_ARRIVAL_GAP_MS = 1000;

/** @throws CameraError where no picture came within the limit */
export async function probeCamera(options: ProbeOptions): Promise<CameraProbe> {
  const { frames, events, startedAtMs, error } = await firstFrames(options, PROBE_FRAMES, false);
  const [first] = frames;
  if (first === undefined) throw error;
  const { width, height } = first.frame;
  const arrivalGapsMs = gapsOf(frames.map(({ atMs }) => atMs));
  // The first frame's time is ffmpeg's guess: RTP tells none before its second packet.
  const cameraGapsMs = gapsOf(events.flatMap((event) => timeMsOf(event)).slice(1, frames.length));
  const isDamaged = events.some(({ kind }) => kind === 'damaged');
  const stream = events.find((event) => event.kind === 'stream');
  const hasBroken = error !== null && error.fault !== 'timeout';
  const declared = stream?.declaredFrameRate ?? null;
  return {
    frameRate: rateOf(cameraGapsMs) ?? rateOf(arrivalGapsMs) ?? declared,
    width,
    height,
    latencyMs: Math.round(first.atMs - startedAtMs),
    stability: stabilityOf(frames.length, isDamaged || hasBroken, cameraGapsMs, arrivalGapsMs),
    frames: frames.length,
    codec: stream?.codec ?? null,
  };
}

/** @throws CameraError where no picture came within the limit */
export async function captureFrame(options: ProbeOptions): Promise<VideoFrame> {
  const { frames, error } = await firstFrames(options, 1, true);
  const [first] = frames;
  if (first === undefined) throw error;
  return first.frame;
}

interface FirstFrames {
  readonly frames: readonly { readonly frame: VideoFrame; readonly atMs: number }[];
  readonly events: readonly LogEvent[];
  readonly startedAtMs: number;
  /** What kept it from more; null where all came. */
  readonly error: CameraError | null;
}

/** A camera's keep-alive and a second of 60 frames fit many times over. */
const MAX_EVENTS = 10_000;

/** Only the newest frame's pixels are kept. */
async function firstFrames(
  { program, address, limitMs = PROBE_LIMIT_MS, signal }: ProbeOptions,
  wanted: number,
  keepsPixels: boolean,
): Promise<FirstFrames> {
  if (signal?.aborted) throw new CameraError('cancelled', 'The request was cancelled');
  const frames: { frame: VideoFrame; atMs: number }[] = [];
  const events: LogEvent[] = [];
  let error: CameraError | null = null;
  const startedAtMs = performance.now();
  const ffmpeg = startFfmpeg({
    path: program.path,
    args: firstFramesArgs(program, address, wanted),
    secrets: address,
    onFrame(frame) {
      const kept = keepsPixels ? frame : { ...frame, bytes: new Uint8Array(0) };
      frames.push({ frame: kept, atMs: performance.now() });
      if (frames.length === wanted) void ffmpeg.stop();
    },
    onEvent(event) {
      if (event.kind !== 'packet' && events.length < MAX_EVENTS) events.push(event);
    },
  });
  const giveUp = (reason: CameraError) => {
    error ??= reason;
    void ffmpeg.stop();
  };
  const cancel = () => giveUp(new CameraError('cancelled', 'The request was cancelled'));
  const timer = setTimeout(() => giveUp(timeoutError(limitMs)), limitMs);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const exit = await ffmpeg.exit;
    if (!exit.stopped && frames.length < wanted) error = explainExit(exit);
    return { frames, events, startedAtMs, error };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

const timeMsOf = (event: LogEvent): number[] =>
  event.kind === 'decoded' && event.timeS !== null ? [event.timeS * 1000] : [];

const gapsOf = (timesMs: readonly number[]): number[] =>
  timesMs.slice(1).map((timeMs, i) => timeMs - timesMs[i]!);

function rateOf(gapsMs: readonly number[]): number | null {
  const totalMs = gapsMs.reduce((sum, gapMs) => sum + gapMs, 0);
  // A clock that stands or runs backwards measures nothing.
  return gapsMs.length > 0 && gapsMs.every((gapMs) => gapMs > 0)
    ? Math.round((gapsMs.length * 10_000) / totalMs) / 10
    : null;
}

function stabilityOf(
  frames: number,
  isFaulty: boolean,
  cameraGapsMs: readonly number[],
  arrivalGapsMs: readonly number[],
): Stability {
  if (isFaulty) return 'unstable';
  if (frames < PROBE_FRAMES) return 'unknown';
  const usualMs = medianOf(cameraGapsMs);
  const isEven = cameraGapsMs.every((gapMs) => gapMs > 0 && gapMs <= 2 * usualMs);
  const isInTime = arrivalGapsMs.every((gapMs) => gapMs <= MAX_ARRIVAL_GAP_MS + 3 * usualMs);
  return isEven && isInTime ? 'stable' : 'unstable';
}

const medianOf = (values: readonly number[]): number =>
  [...values].sort((first, second) => first - second)[values.length >> 1] ?? 0;
