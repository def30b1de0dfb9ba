/** What those who run the server look at: health, metrics, and the routes over them. */
import { statfs } from 'node:fs/promises';
import { detectorModels, embedderModels } from '../models/manifest.ts';
import type { CameraDirectory } from './cameras/camera-directory.ts';
import { registerCameraMetrics } from './cameras/camera-metrics.ts';
import type { Attendance } from './compose-attendance.ts';
import type { Devices } from './compose-devices.ts';
import { createHealthChecks } from './http/health-checks.ts';
import type { Route } from './http/route.ts';
import { healthRoutes } from './http/routes/health.ts';
import { probeRoutes } from './http/routes/probes.ts';
import { prometheusRoutes } from './http/routes/prometheus.ts';
import type { Metrics } from './metrics.ts';
import { type ModelInUse, registerOperationMetrics } from './operation-metrics.ts';
import type { Gallery } from './recognition/gallery.ts';
import type { Recognizer } from './recognition/recognizer.ts';
import type { Config } from './settings.ts';
import type { Database } from './store/pool.ts';

export interface OperationParts {
  readonly config: Pick<Config, 'DATA_DIR' | 'SERVICE_NAME' | 'QUEUE_LIMIT' | 'METRICS_OPEN'>;
  readonly version: string;
  readonly metrics: Metrics;
  readonly recognizer: Recognizer;
  readonly gallery: Gallery;
  readonly database: Database;
  /** Null without ffmpeg. */
  readonly attendance: Attendance | null;
  readonly devices: Devices;
  readonly cameras: CameraDirectory;
  readonly isStopping: () => boolean;
}

export function composeOperation(parts: OperationParts): Route[] {
  const { config, version, recognizer, gallery, database, attendance, devices } = parts;
  const { registry } = parts.metrics;
  registerOperationMetrics(registry, {
    version,
    models: () => modelsInUse(recognizer),
    provider: () => recognizer.status.provider.inUse,
    threads: () => {
      const { threads: total, readyThreads: ready, running: busy } = recognizer.status;
      return { total, ready, busy };
    },
    database: () => database.load(),
    databaseKind: () => database.kind,
    gallery: () => gallery.size(),
  });
  registerCameraMetrics(registry, () =>
    parts.cameras.list().map(({ id, camera }) => ({ cameraId: id, report: camera.report })),
  );
  const checks = createHealthChecks({
    recognizer,
    checkDatabase: () => database.read('SELECT 1'),
    queueLimit: config.QUEUE_LIMIT,
    hasFfmpeg: attendance !== null,
    cameras() {
      const cameras = parts.cameras.list();
      const active = cameras.filter(({ camera }) => camera.report.state === 'live');
      return { total: cameras.length, active: active.length };
    },
    oldestCallbackAgeS: async () => (await attendance?.waiting())?.oldestAgeS ?? null,
    isTunnelDown: () => devices.tunnelStatus()?.ports.length === 0,
    freeDiskShare: () => freeShare(config.DATA_DIR),
  });
  return [
    ...healthRoutes({
      isTunnelActive: () => (devices.tunnelStatus()?.ports.length ?? 0) > 0,
      activeSessions: () => attendance?.sessions.list().length ?? 0,
      serviceName: config.SERVICE_NAME,
      version,
      recognizer,
      gallerySize: gallery.size,
      databaseKind: database.kind,
      checks,
    }),
    ...probeRoutes({
      troubles: checks.troubles,
      degradations: checks.degradations,
      isStopping: parts.isStopping,
    }),
    ...prometheusRoutes({ registry, open: config.METRICS_OPEN }),
  ];
}

function modelsInUse({ status }: Recognizer): ModelInUse[] {
  const hash = (models: typeof detectorModels | typeof embedderModels, id: string) =>
    models.find((model) => model.id === id)?.file?.sha256 ?? 'embedded';
  return [
    { task: 'detector', id: status.detector, sha256: hash(detectorModels, status.detector) },
    { task: 'embedder', id: status.embedder, sha256: hash(embedderModels, status.embedder) },
  ];
}

async function freeShare(folder: string): Promise<number | null> {
  const { blocks, bavail } = await statfs(folder);
  return blocks === 0 ? null : bavail / blocks;
}
