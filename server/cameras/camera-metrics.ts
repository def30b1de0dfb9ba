/** Metrics of cameras, read from their reports when somebody asks. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { CameraReport } from './camera.ts';

export interface MeasuredCamera {
  /** What the metrics call it: an id, never its address. */
  readonly cameraId: string;
  readonly report: CameraReport;
}

/** More than these are counted together, so that the labels stay bounded. */
const MAX_LABELLED = 500;

export function registerCameraMetrics(registry: Registry, cameras: () => readonly MeasuredCamera[]): void {
  const labelled = { labelNames: ['camera'] as const, registers: [registry] };
  const known = () => cameras().slice(0, MAX_LABELLED);

  new Gauge({
    name: 'face_cameras',
    help: 'Cameras in use, by state',
    labelNames: ['state'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const state of ['connecting', 'live', 'stalled', 'waiting', 'stopped'] as const)
        this.set({ state }, 0);
      for (const { report } of cameras()) this.inc({ state: report.state });
    },
  });
  gauge('face_camera_up', 'Whether frames of the camera come', ({ state }) => Number(state === 'live'));
  gauge('face_camera_last_frame_age_seconds', 'Age of the last frame; nothing before the first', (report) =>
    report.lastFrameAgeMs === null ? null : report.lastFrameAgeMs / 1000,
  );
  gauge('face_camera_frame_rate', 'Frames a second that the camera sends', ({ frameRate }) => frameRate);
  counter('face_camera_frames_total', 'Frames that came out of the camera', ({ frames }) => frames);
  counter(
    'face_camera_garbled_frames_total',
    'Frames that were thrown away as garbled',
    (report) => report.garbledFrames,
  );
  counter(
    'face_camera_failures_total',
    'Times that the camera failed and was started again',
    ({ failures }) => failures,
  );

  function gauge(name: string, help: string, read: (report: CameraReport) => number | null): void {
    new Gauge({
      name,
      help,
      ...labelled,
      collect() {
        this.reset();
        for (const { cameraId, report } of known()) {
          const value = read(report);
          if (value !== null) this.set({ camera: cameraId }, value);
        }
      },
    });
  }

  function counter(name: string, help: string, read: (report: CameraReport) => number): void {
    new Counter({
      name,
      help,
      ...labelled,
      collect() {
        this.reset();
        for (const { cameraId, report } of known()) this.inc({ camera: cameraId }, read(report));
      },
    });
  }
}
