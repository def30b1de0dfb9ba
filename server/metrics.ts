/** Every metric of the server, in base units (seconds, bytes); labels come from closed sets only. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

const REQUEST_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const QUEUE_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const SIMILARITIES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1];
const STAGE_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

/** What is read when somebody asks, instead of being kept up to date all the time. */
export interface MetricSources {
  queueDepth: () => number;
}

/** A registry of its own for each server, so that two in one process do not share counts. */
export function createMetrics(sources: Readonly<MetricSources> = { queueDepth: () => 0 }) {
  const registry = new Registry();
  const metrics = makeMetrics(registry, sources);
  startAtZero(metrics.requestsRefused, 'reason', ['rate', 'connections', 'malformed']);
  startAtZero(metrics.recognitions, 'result', ['permitted_face', 'unknown_face', 'no_face_detected']);
  startAtZero(metrics.frames, 'outcome', ['stored', 'superseded', 'refused', 'failed']);
  startAtZero(metrics.framesRemoved, 'reason', ['age', 'space', 'disk_full']);
  for (const result of ['named', 'unnamed']) metrics.gallerySimilarity.zero({ result });
  metrics.errors.inc({ code: 'INTERNAL_ERROR' }, 0);
  for (const [queue, reasons] of Object.entries(QUEUE_DROPS))
    for (const reason of reasons) metrics.queueDrops.inc({ queue, reason }, 0);
  return metrics;
}

/** A rate cannot tell the first event of a series that was not there before from none at all. */
export function startAtZero<Label extends string>(
  counter: Counter<Label>,
  label: Label,
  values: readonly string[],
): void {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
}

/** Each bounded queue, and why something may be dropped from it. */
const QUEUE_DROPS = {
  recognition: ['superseded', 'overloaded', 'closed'],
  bodies: ['full'],
  mjpeg: ['full', 'missed', 'silent'],
  devices: ['commands_full', 'writes_full', 'devices_full', 'devices_evicted'],
  recordings: ['full'],
  sensor_data: ['full'],
  tunnel: ['full'],
  websocket: ['missed', 'dropped'],
} as const;

function makeMetrics(registry: Registry, sources: Readonly<MetricSources>) {
  const registers = [registry];
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'face_http_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer',
      labelNames: ['route', 'method', 'status'] as const,
      buckets: REQUEST_SECONDS,
      registers,
    }),
    requestsRefused: new Counter({
      name: 'face_http_requests_refused_total',
      help: 'Requests refused before any work, by the reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    bodyBytes: new Gauge({
      name: 'face_http_body_bytes',
      help: 'Memory held by bodies that are being received',
      registers,
    }),
    errors: new Counter({
      name: 'face_errors_total',
      help: 'Errors answered, by their code',
      labelNames: ['code'] as const,
      registers,
    }),
    stageSeconds: new Histogram({
      name: 'face_stage_duration_seconds',
      help: 'Time of a stage: those of the recognition on their thread, and the storing of a frame',
      labelNames: ['stage'] as const,
      buckets: STAGE_SECONDS,
      registers,
    }),
    recognitions: new Counter({
      name: 'face_recognitions_total',
      help: 'Pictures looked at, by the outcome',
      labelNames: ['result'] as const,
      registers,
    }),
    gallerySimilarity: new Histogram({
      name: 'face_gallery_similarity',
      help: 'Cosine similarity of faces to the nearest enrolled person, by whether they were named',
      labelNames: ['result'] as const,
      buckets: SIMILARITIES,
      registers,
    }),
    queueWaitSeconds: new Histogram({
      name: 'face_queue_wait_seconds',
      help: 'Time that work waited in a queue before it ran',
      labelNames: ['queue'] as const,
      buckets: QUEUE_SECONDS,
      registers,
    }),
    queueDepth: new Gauge({
      name: 'face_inference_queue_depth',
      help: 'Pictures that wait for a thread',
      registers,
      collect() {
        this.set(sources.queueDepth());
      },
    }),
    queueDrops: new Counter({
      name: 'face_queue_drops_total',
      help: 'Work that a full queue turned away or that newer work replaced',
      labelNames: ['queue', 'reason'] as const,
      registers,
    }),
    frames: new Counter({
      name: 'face_device_frames_total',
      help: 'Frames that boards sent, by the outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    frameHeadersIgnored: new Counter({
      name: 'face_device_frame_headers_ignored_total',
      help: 'Optional headers of frames that could not be read, by the name of the header',
      labelNames: ['header'] as const,
      registers,
    }),
    framesRemoved: new Counter({
      name: 'face_device_frames_removed_total',
      help: 'Stored frames removed, by the reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    storedFrameBytes: new Gauge({
      name: 'face_device_frames_stored_bytes',
      help: 'Bytes of stored frames',
      registers,
    }),
  };
}
