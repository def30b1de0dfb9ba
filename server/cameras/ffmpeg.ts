/** One ffmpeg process: frames or bytes from its outputs, events and complaints from its standard error, and a sure end. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
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
  /** Into its standard input, where it takes any. @returns false where more waits in it than `MAX_WAITING_BYTES`: this was not taken */
  write(chunk: Buffer): boolean;
  /** SIGTERM, then SIGKILL; no frame and no event comes after the call. */
  stop(): Promise<FfmpegExit>;
}

export interface FfmpegStart {
  readonly path: string;
  readonly args: readonly string[];
  /** Reads standard output as frames: called for each, in order. At most one more is under way: bounding what waits is up to the one called. */
  readonly onFrame?: (frame: VideoFrame) => void;
  /** Reads standard output as it comes, where `onFrame` does not. */
  readonly onBytes?: (chunk: Buffer) => void;
  /** Reads file descriptor 3, which only then is there. */
  readonly onCopied?: (chunk: Buffer) => void;
  /** Whether it is fed through `write`. */
  readonly takesInput?: boolean;
  readonly onEvent?: (event: LogEvent) => void;
  readonly secrets?: LogSecrets;
}

/** ffmpeg 5 ends within 60 ms of SIGTERM; 7 ignores it while it waits for a camera. */
const TERMINATION_GRACE_MS = 500;

/** A transcoder that is so far behind never catches up. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;

const withoutPipes = (exit: Promise<FfmpegExit>): FfmpegProcess => ({
  pid: undefined,
  exit,
  pause: () => {},
  resume: () => {},
  write: () => false,
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
  onBytes = () => {},
  onCopied,
  takesInput = false,
  onEvent = () => {},
  secrets,
}: FfmpegStart): FfmpegProcess {
  const stdio = [
    takesInput ? 'pipe' : 'ignore',
    'pipe',
    'pipe',
    ...(onCopied ? ['pipe' as const] : []),
  ] as const;
  const child = spawn(path, args, { stdio: [...stdio], env: {}, windowsHide: true });
  let stopped = false;
  let isGone = false;
  let fault: Error | null = null;
  let killTimer: NodeJS.Timeout | undefined;
  const log = new FfmpegLog((event) => {
    if (!stopped) onEvent(event);
  }, secrets ?? null);
  const reader = onFrame
    ? new Y4mReader(MAX_DECODED_PIXELS, (frame) => {
        if (!stopped) onFrame(frame);
      })
    : null;

  function end(): void {
    // Also frees ffmpeg where it waits for us to read.
    child.stdout?.destroy();
    copied?.destroy();
    child.stdin?.destroy();
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
  const copied = child.stdio?.[3] as Readable | null | undefined;
  // Missing where the system has no handles left, whatever their type says.
  const { stdin, stdout, stderr } = child;
  if (!stdout || !stderr) return withoutPipes(exit);
  stdout.on('data', (chunk: Buffer) => {
    if (stopped || fault) return;
    try {
      if (reader) reader.push(chunk);
      else onBytes(chunk);
    } catch (error) {
      fault = error as Error;
      end();
    }
  });
  stdout.on('error', () => {});
  copied?.on('data', (chunk: Buffer) => {
    if (!stopped) onCopied?.(chunk);
  });
  copied?.on('error', () => {});
  stdin?.on('error', () => {});
  stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  stderr.on('error', () => {});

  return {
    pid: child.pid,
    exit,
    pause: () => void stdout.pause(),
    resume: () => void stdout.resume(),
    write(chunk) {
      if (stopped || !stdin || stdin.writableLength > MAX_WAITING_BYTES) return false;
      stdin.write(chunk);
      return true;
    },
    stop() {
      if (!stopped && !isGone) {
        stopped = true;
        end();
      }
      return exit;
    },
  };
}
