/** What a server opens of its data folder for boards: database, registry, measurements, frames, recordings. */
import { join } from 'node:path';
import { pino } from 'pino';
import { openFrames } from '../../server/devices/frames.ts';
import { openRecordings } from '../../server/devices/recordings.ts';
import { openRegistry } from '../../server/devices/registry.ts';
import { openSensorData } from '../../server/devices/sensor-data.ts';
import { createMetrics } from '../../server/metrics.ts';
import { createDeviceStore } from '../../server/store/devices.ts';
import { startEmbedded } from '../../server/store/embedded.ts';
import { lockFolder } from '../../server/store/folder-lock.ts';
import { migrate } from '../../server/store/migrate.ts';
import { openPool } from '../../server/store/pool.ts';
import { createSensorDataStore } from '../../server/store/sensor-data.ts';

export async function openDeviceFolder(folder: string, ffmpegPath: string) {
  const lock = lockFolder(folder);
  const embedded = await startEmbedded(join(folder, 'database'));
  const { socketFolder, port } = embedded;
  const database = openPool({ kind: 'embedded', socketFolder, port });
  await migrate(database);
  const log = pino({ level: 'silent' });
  const registry = await openRegistry({
    store: createDeviceStore(database),
    offlineAfterS: 60,
    maxDevices: 10_000,
  });
  const sensorData = openSensorData({
    store: createSensorDataStore(database),
    retentionDays: 30,
    maxRows: 100_000,
  });
  const frames = await openFrames({
    folder: join(folder, 'frames'),
    retentionS: 600,
    storageBytes: 1e9,
    log,
    metrics: createMetrics(),
  });
  const recordings = await openRecordings({
    folder: join(folder, 'recordings'),
    frames,
    ffmpegPath,
    storageBytes: 1e9,
    log,
  });
  return {
    registry,
    sensorData,
    frames,
    recordings,
    async close() {
      await recordings.close();
      await frames.close();
      await sensorData.close();
      await registry.close();
      await database.close();
      await embedded.stop();
      lock.release();
    },
  };
}
