/**
 * What each board showed last: the stored picture, who is in it, what was done to it, and the frame as it came, so that the two can be
 * laid side by side. In memory only: pictures outlive a restart, this does not.
 */
import type { EncodedPicture, RawFrame } from '../../workers/protocol.ts';
import type { SeenFace } from '../live/messages.ts';

export interface LastFrame {
  readonly deviceId: string;
  /** Plain file name of the stored picture. */
  readonly name: string;
  readonly atMs: number;
  /** Of the stored picture. */
  readonly width: number;
  readonly height: number;
  readonly faces: readonly SeenFace[];
  /** What was estimated of a raw frame and done to it; null where it was left as it came. */
  readonly enhancement: object | null;
  /** What the board's headers told of its sensor. */
  readonly sensor: object;
  readonly warnings: readonly string[];
  /** As it came; gone where the memory for such frames was needed for newer ones. */
  readonly original: EncodedPicture | RawFrame | null;
}

export interface LastFrames {
  put(frame: LastFrame): void;
  /** The newest of the device, or the one of this name as long as it is the newest or the one before. */
  get(deviceId: string, name?: string): LastFrame | null;
  /** The newest of each device, those heard last first. */
  list(): LastFrame[];
  readonly originalBytes: number;
}

export interface LastFramesOptions {
  readonly maxDevices: number;
  /** For frames as they came, of all devices together. */
  readonly maxOriginalBytes: number;
}

export function createLastFrames({ maxDevices, maxOriginalBytes }: LastFramesOptions): LastFrames {
  /** Newest first for each device; the device that was heard longest ago stands first. */
  const devices = new Map<string, readonly LastFrame[]>();
  let originalBytes = 0;

  const bytesOf = (frames: readonly LastFrame[]) =>
    frames.reduce((sum, { original }) => sum + (original?.bytes.byteLength ?? 0), 0);

  function keep(deviceId: string, frames: readonly LastFrame[]): void {
    originalBytes += bytesOf(frames) - bytesOf(devices.get(deviceId) ?? []);
    if (frames.length === 0) devices.delete(deviceId);
    else devices.set(deviceId, frames);
  }

  return {
    put(frame) {
      const before = devices.get(frame.deviceId) ?? [];
      keep(frame.deviceId, []);
      // Someone who looks at the newest frame has a moment in which the next one comes.
      keep(frame.deviceId, [frame, ...before.slice(0, 1)]);
      while (devices.size > maxDevices) keep(devices.keys().next().value as string, []);
      for (const [deviceId, frames] of devices) {
        if (originalBytes <= maxOriginalBytes) break;
        keep(
          deviceId,
          frames.map((old) => ({ ...old, original: null })),
        );
      }
    },
    get: (deviceId, name) =>
      devices.get(deviceId)?.find((frame) => name === undefined || frame.name === name) ?? null,
    list: () => [...devices.values()].map(([newest]) => newest!).reverse(),
    get originalBytes() {
      return originalBytes;
    },
  };
}
