/** A folder of stored frames for a test, and a clock that only the test moves. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { Clocks } from '../../server/devices/device.ts';
import type { OpenedFrame } from '../../server/devices/frame-files.ts';
import { type FrameStore, type FramesOptions, openFrames } from '../../server/devices/frames.ts';
import { createMetrics } from '../../server/metrics.ts';

const RETENTION_S = 600;

export interface FrameFolder {
  readonly path: string;
  /** A store of this folder, closed with it unless the test has closed it before. */
  open(options?: Partial<FramesOptions>): Promise<FrameStore>;
  inodeOf(file: string): Promise<number>;
  /** How many frames were removed for this reason. */
  removed(reason: string): Promise<number>;
  /** Closes every store and removes the folder. */
  dispose(): Promise<void>;
}

/** @param usual options of every store that is opened; without a `folder` a new one is made */
export async function makeFrameFolder(usual: Partial<FramesOptions> = {}): Promise<FrameFolder> {
  const path = usual.folder ?? (await mkdtemp(join(tmpdir(), 'facepool-test-frames-')));
  const metrics = createMetrics();
  const opened: FrameStore[] = [];
  return {
    path,
    async open(options) {
      const frames = await openFrames({
        retentionS: RETENTION_S,
        storageBytes: 1e9,
        log: pino({ level: 'silent' }),
        metrics,
        ...usual,
        ...options,
        folder: path,
      });
      opened.push(frames);
      return frames;
    },
    inodeOf: async (file) => (await stat(join(path, file))).ino,
    async removed(reason) {
      return (await metrics.framesRemoved.get()).values.find(({ labels }) => labels.reason === reason)!.value;
    },
    async dispose() {
      for (const frames of opened.splice(0)) await frames.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}

export interface HandClock extends Clocks {
  nowMs: number;
  /** Until the time of every frame stored so far is over. */
  letRunOut(): void;
}

/** The timer that removes frames comes every ten seconds of real time, later than a short test ends. */
export function createHandClock(): HandClock {
  const clock: HandClock = {
    nowMs: 1e6,
    wallMs: () => clock.nowMs,
    monotonicMs: () => clock.nowMs,
    letRunOut: () => {
      clock.nowMs += RETENTION_S * 1000 + 1;
    },
  };
  return clock;
}

export const rawFrame = (text: string) => ({ bytes: Buffer.from(text), headers: { 'X-Frame-Width': text } });

/** Reads it to its end and closes it. */
export async function textOf(file: OpenedFrame | null): Promise<string> {
  assert.ok(file);
  try {
    return await file.handle.readFile('utf8');
  } finally {
    await file.handle.close();
  }
}
