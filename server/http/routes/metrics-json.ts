/** GET /api/v1/metrics: the figures of the attendance API, read from the counters that Prometheus reads; those themselves where `Accept` asks. */
import type { Counter, Histogram, Registry } from 'prom-client';
import type { AttendanceMetrics } from '../../attendance/attendance-metrics.ts';
import { contractTime } from '../../attendance/recognition.ts';
import type { Sessions } from '../../attendance/sessions.ts';
import { metricsJsonDescription } from '../descriptions/operation.ts';
import type { Context, Route } from '../route.ts';
import { sendExposition, wantsExposition } from './prometheus.ts';

export interface MetricsJsonDependencies {
  readonly sessions: Sessions;
  readonly metrics: AttendanceMetrics;
  /** Of the same counters. */
  readonly registry: Registry;
}

export function metricsJsonRoutes({ sessions, metrics, registry }: MetricsJsonDependencies): Route[] {
  async function show(ctx: Context): Promise<void> {
    ctx.vary('Accept');
    if (wantsExposition(ctx)) return sendExposition(ctx, registry);
    const faces = await byOutcome(metrics.scannedFaces);
    const videos = await byOutcome(metrics.videos);
    const similarity = await totals(metrics.similarity);
    const cameras = sessions.list().flatMap((session) => session.cameras);
    const active = cameras.filter((camera) => camera.active);
    // Faces too small or too poor were not tried.
    const tried = sum(faces, 'recognized', 'unknown', 'uncertain');
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      status: 200,
      message: 'Metrics retrieved successfully',
      data: {
        service: {
          uptime: Math.floor(process.uptime()),
          activeSessions: sessions.list().length,
          totalSessionsToday: sessions.startedToday(),
        },
        recognition: {
          totalRecognitions: similarity.count,
          averageConfidence: average(similarity),
          averageProcessingTime: average(await totals(metrics.scanSeconds)),
          recognitionRate: share(sum(faces, 'recognized'), tried),
        },
        embedding: {
          totalGenerated: sum(videos, 'embedded'),
          averageQuality: average(await totals(metrics.videoQuality)),
          averageProcessingTime: average(await totals(metrics.videoSeconds)),
          successRate: share(sum(videos, 'embedded'), sum(videos, 'embedded', 'refused', 'failed')),
        },
        cameras: {
          totalCameras: cameras.length,
          activeCameras: active.length,
          failedCameras: cameras.length - active.length,
          averageFrameRate: averageOf(active.flatMap(({ frameRate }) => frameRate ?? [])),
        },
        timestamp: contractTime(new Date()),
      },
    };
  }

  return [
    {
      method: 'GET',
      path: '/api/v1/metrics',
      access: 'always',
      envelope: 'attendance',
      frequent: true,
      description: metricsJsonDescription,
      handle: show,
    },
  ];
}

async function byOutcome(counter: Counter<'outcome'>): Promise<Map<string, number>> {
  const { values } = await counter.get();
  return new Map(values.map(({ labels, value }) => [String(labels.outcome), value]));
}

interface Totals {
  readonly sum: number;
  readonly count: number;
}

async function totals(histogram: Histogram): Promise<Totals> {
  const { values } = await histogram.get();
  const valueWith = (suffix: string) =>
    values.find(({ metricName }) => metricName?.endsWith(suffix))?.value ?? 0;
  return { sum: valueWith('_sum'), count: valueWith('_count') };
}

const sum = (counts: ReadonlyMap<string, number>, ...outcomes: readonly string[]): number =>
  outcomes.reduce((total, outcome) => total + (counts.get(outcome) ?? 0), 0);

const average = ({ sum, count }: Totals): number => share(sum, count);

/** 0 where nothing was counted. */
const share = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;

const averageOf = (values: readonly number[]): number =>
  share(
    values.reduce((total, value) => total + value, 0),
    values.length,
  );
