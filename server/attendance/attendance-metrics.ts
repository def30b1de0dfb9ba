/** The metrics of sessions, face videos and callbacks; `/api/v1/metrics` reads the same ones. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { startAtZero } from '../metrics.ts';
import type { WaitingCounts } from './outbox-store.ts';

export type AttendanceMetrics = ReturnType<typeof createAttendanceMetrics>;

const SCAN_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const VIDEO_SECONDS = [0.25, 0.5, 1, 1.5, 2, 2.5, 5, 10, 30, 60];
const CALLBACK_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1];

/** What is read when somebody asks. */
export interface AttendanceSources {
  readonly activeSessions: () => number;
  readonly cameras: () => { readonly total: number; readonly active: number };
  readonly waiting: () => Promise<WaitingCounts>;
}

export function createAttendanceMetrics(registry: Registry, sources: AttendanceSources) {
  const metrics = makeMetrics(registry, sources);
  startAtZero(metrics.scannedFaces, 'outcome', [
    'recognized',
    'unknown',
    'uncertain',
    'too_small',
    'too_poor',
  ]);
  startAtZero(metrics.scans, 'outcome', ['done', 'dropped', 'failed']);
  startAtZero(metrics.callbacks, 'outcome', ['delivered', 'refused', 'expired', 'dropped']);
  startAtZero(metrics.callbackAttempts, 'outcome', ['delivered', 'refused', 'failed']);
  startAtZero(metrics.sessionWarnings, 'code', [
    'EMBEDDING_NOT_UNIT_LENGTH',
    'EMBEDDING_OF_ANOTHER_MODEL',
    'EMBEDDING_ZERO',
    'DUPLICATE_STUDENT',
  ]);
  startAtZero(metrics.videos, 'outcome', ['embedded', 'refused', 'failed']);
  return metrics;
}

function makeMetrics(registry: Registry, sources: AttendanceSources) {
  const registers = [registry];
  return {
    sessionsStarted: new Counter({
      name: 'face_sessions_started_total',
      help: 'Recognition sessions that started',
      registers,
    }),
    sessionsEnded: new Counter({
      name: 'face_sessions_ended_total',
      help: 'Recognition sessions that ended, by the reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    sessionWarnings: new Counter({
      name: 'face_session_warnings_total',
      help: 'Students of sessions of whom something was odd, by what it was',
      labelNames: ['code'] as const,
      registers,
    }),
    sessionsActive: new Gauge({
      name: 'face_sessions_active',
      help: 'Recognition sessions that run',
      registers,
      collect() {
        this.set(sources.activeSessions());
      },
    }),
    sessionCameras: new Gauge({
      name: 'face_session_cameras',
      help: 'Cameras of running sessions, by whether frames come',
      labelNames: ['state'] as const,
      registers,
      collect() {
        const { total, active } = sources.cameras();
        this.set({ state: 'active' }, active);
        this.set({ state: 'failed' }, total - active);
      },
    }),
    scannedFaces: new Counter({
      name: 'face_session_faces_total',
      help: 'Faces that cameras of sessions saw, by what came of them',
      labelNames: ['outcome'] as const,
      registers,
    }),
    scans: new Counter({
      name: 'face_session_scans_total',
      help: 'Frames of session cameras, by what became of them',
      labelNames: ['outcome'] as const,
      registers,
    }),
    scanSeconds: new Histogram({
      name: 'face_session_scan_duration_seconds',
      help: 'Time from the arrival of a frame to its results',
      buckets: SCAN_SECONDS,
      registers,
    }),
    similarity: new Histogram({
      name: 'face_session_similarity',
      help: 'Cosine similarity of the recognitions that went out',
      buckets: SHARES,
      registers,
    }),
    callbacks: new Counter({
      name: 'face_callbacks_total',
      help: 'Recognitions by what became of them on the way to the backend',
      labelNames: ['outcome'] as const,
      registers,
    }),
    callbackAttempts: new Counter({
      name: 'face_callback_attempts_total',
      help: 'Requests to backends, by the outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    callbackSeconds: new Histogram({
      name: 'face_callback_duration_seconds',
      help: 'Time of a request to a backend, by the outcome',
      labelNames: ['outcome'] as const,
      buckets: CALLBACK_SECONDS,
      registers,
    }),
    outboxBatches: new Gauge({
      name: 'face_callback_outbox_batches',
      help: 'Batches that wait for a backend',
      registers,
      async collect() {
        this.set((await sources.waiting()).batches);
      },
    }),
    outboxOldestSeconds: new Gauge({
      name: 'face_callback_outbox_oldest_age_seconds',
      help: 'Age of the oldest batch that waits for a backend',
      registers,
      async collect() {
        this.set((await sources.waiting()).oldestAgeS ?? 0);
      },
    }),
    videos: new Counter({
      name: 'face_videos_total',
      help: 'Face videos to embeddings, by the outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    videoSeconds: new Histogram({
      name: 'face_video_duration_seconds',
      help: 'Time from a face video to its embedding',
      buckets: VIDEO_SECONDS,
      registers,
    }),
    videoQuality: new Histogram({
      name: 'face_video_quality',
      help: 'Quality of the embeddings that were made of face videos',
      buckets: SHARES,
      registers,
    }),
  };
}
