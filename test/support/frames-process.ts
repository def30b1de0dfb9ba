/**
 * Stores frames, some at a time, in a folder that has room for few, until it is killed; says what was acknowledged, a line each: name and
 * bytes. Arguments: folder, number of the first frame.
 */
import pino from 'pino';
import { openFrames } from '../../server/devices/frames.ts';
import { createMetrics } from '../../server/metrics.ts';

export const FRAMES_AT_ONCE = 4;
/** A picture and an untouched frame of 20,000 bytes each. */
export const MAX_FRAME_BYTES = 40_000;
export const STORAGE_BYTES = 12 * MAX_FRAME_BYTES;

/** Every byte of a file is of the number and the length that it begins with. */
export const numberedBytes = (number: number, bytes: number) => Buffer.alloc(bytes, `${number}:${bytes}|`);

/** The number; null where the bytes are not whole. */
export function numberOf(bytes: Buffer): number | null {
  const [, number, length] = /^(\d+):(\d+)\|/.exec(bytes.toString('latin1', 0, 32)) ?? [];
  return bytes.equals(numberedBytes(Number(number), Number(length ?? 0))) ? Number(number) : null;
}

export const openFewFrames = (folder: string) =>
  openFrames({
    folder,
    retentionS: 600,
    storageBytes: STORAGE_BYTES,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
  });

if (import.meta.main) {
  const [folder, first] = process.argv.slice(2);
  const frames = await openFewFrames(folder!);
  let next = Number(first);
  const lengthOf = (seed: number) => 32 + (seed % (MAX_FRAME_BYTES / 2 - 32));
  const storeOn = async () => {
    for (;;) {
      const number = next++;
      const jpeg = numberedBytes(number, lengthOf(number * 7919));
      const raw =
        number % 3 === 0 ? { bytes: numberedBytes(number, lengthOf(number * 104_729)), headers: {} } : null;
      const { name } = await frames.store(`cam-${number % 2}`, jpeg, raw);
      process.stdout.write(`${name} ${jpeg.length + (raw?.bytes.length ?? 0)}\n`);
    }
  };
  for (let i = 0; i < FRAMES_AT_ONCE; i++) void storeOn();
}
