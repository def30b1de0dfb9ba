/** Figures about live pictures. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface LiveSources {
  readonly viewers: () => { readonly webrtc: number; readonly mjpeg: number };
  readonly transcoders: () => number;
}

export function createLiveMetrics(registry: Registry, sources: LiveSources) {
  new Gauge({
    name: 'face_live_viewers',
    help: 'Viewers of cameras and boards now, by how they watch',
    labelNames: ['by'],
    registers: [registry],
    collect() {
      for (const [by, viewers] of Object.entries(sources.viewers())) this.set({ by }, viewers);
    },
  });
  new Gauge({
    name: 'face_live_transcoded_cameras',
    help: 'Cameras whose stream is transcoded now because somebody watches',
    registers: [registry],
    collect() {
      this.set(sources.transcoders());
    },
  });
  return {
    mediaWorkerRestarts: new Counter({
      name: 'face_media_worker_restarts_total',
      help: 'How often a media worker died and was replaced',
      registers: [registry],
    }),
  };
}
