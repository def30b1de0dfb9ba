/** Opens the folder of the frames as the settings say. */
import { join } from 'node:path';
import type { Closers } from './closers.ts';
import { type FrameStore, openFrames } from './devices/frames.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Config } from './settings.ts';

export async function openFrameStore(
  config: Config,
  log: Log,
  metrics: Metrics,
  closers: Closers,
): Promise<FrameStore> {
  const frames = await openFrames({
    folder: join(config.DATA_DIR, 'frames'),
    retentionS: config.FRAME_RETENTION_S,
    storageBytes: config.FRAME_STORAGE_BYTES,
    log,
    metrics,
  });
  closers.add('frames', () => frames.close());
  return frames;
}
