/** One ffmpeg process: frames from its standard output, events and complaints from its standard error, and a sure end. */
import { spawn } from 'node:child_process';
import { MAX_DECODED_PIXELS } from './ffmpeg-args.ts';
import { FfmpegLog, type LogEvent, type LogSecrets } from './ffmpeg-log.ts';
import { type VideoFrame, Y4mReader } from './y4m.ts';

export interface FfmpegExit {
  /** Whether we ended it. */
  readonly stopped: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started or its output not be read. */
  readonly fault: Error | null;
  /** Its last warnings and errors, oldest first, bounded and without credentials. */
  readonly complaints: readonly string[];
}

export interface FfmpegProcess {
  readonly pid: number | undefined;
  /** Resolves when the process is gone and its pipes are closed; never rejects. */
  readonly exit: Promise<FfmpegExit>;
  /** Reads no more until `resume`: ffmpeg then waits as soon as its pipe is full (64 KiB), and no frame is lost. */
  pause(): void;
  resume(): void;
  /** SIGTERM, then SIGKILL; no frame and no event comes after the call. */
  stop(): Promise<FfmpegExit>;
}

export interface FfmpegStart {
  readonly path: string;
  readonly args: readonly string[];
  /** Called for each frame, in order. At most one more is under way: bounding what waits is up to the one called. */
  readonly onFrame: (frame: VideoFrame) => void;
  readonly onEvent?: (event: LogEvent) => void;
  readonly secrets?: LogSecrets;
}

/** ffmpeg 5 ends within 60 ms of SIGTERM; 7 ignores it while it waits for a camera. */
const TERMINATION_GRACE_MS = 500;

const withoutPipes = (exit: Promise<FfmpegExit>): FfmpegProcess => ({
  pid: undefined,
  exit,
  pause: () => {},
  resume: () => {},
  stop: () => exit,
});

/**
 * Without a shell and without our environment, which holds keys. Where our own process dies, the closed pipe ends ffmpeg at its next
 * frame, and a silent camera's at the socket timeout.
 */
export function startFfmpeg({
  path,
  args,
  onFrame,
  onEvent = () => {},
  secrets,
}: FfmpegStart): FfmpegProcess {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, windowsHide: true });
  let stopped = false;
  let isGone = false;
  let fault: Error | null = null;
  let killTimer: NodeJS.Timeout | undefined;
  const log = new FfmpegLog((event) => {
    if (!stopped) onEvent(event);
  }, secrets ?? null);
  const reader = new Y4mReader(MAX_DECODED_PIXELS, (frame) => {
    if (!stopped) onFrame(frame);
  });

  function end(): void {
    // Also frees ffmpeg where it waits for us to read.
    child.stdout?.destroy();
    child.kill('SIGTERM');
    killTimer ??= setTimeout(() => child.kill('SIGKILL'), TERMINATION_GRACE_MS);
  }

  const exit = new Promise<FfmpegExit>((resolve) => {
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      isGone = true;
      clearTimeout(killTimer);
      log.end();
      resolve({ stopped, code, signal, fault, complaints: log.complaints });
    };
    child.on('error', (error) => {
      fault ??= error;
      // Never started, and where handles ran out without pipes, which would close.
      if (child.pid === undefined) settle(null, null);
    });
    child.once('close', settle);
  });
  // Missing where the system has no handles left, whatever their type says.
  if (child.stdout === undefined) return withoutPipes(exit);
  child.stdout.on('data', (chunk: Buffer) => {
    if (stopped || fault) return;
    try {
      reader.push(chunk);
    } catch (error) {
      fault = error as Error;
      end();
    }
  });
  child.stdout.on('error', () => {});
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  child.stderr.on('error', () => {});

  return {
    pid: child.pid,
    exit,
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    stop() {
      if (!stopped && !isGone) {
        stopped = true;
        end();
      }
      return exit;
    },
  };
}
