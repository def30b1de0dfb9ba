/** Turns frames of a session's cameras into recognitions: one frame in, the faces matched, the results put into the outbox. */
import type { AnalysedFace, SessionCamera, SessionConfig } from '../../workers/protocol.ts';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AttendanceMetrics } from './attendance-metrics.ts';
import { type MatchedFace, matchFaces } from './matching.ts';
import { contractTime, type Recognition } from './recognition.ts';
import type { Roster } from './roster.ts';
import { Sightings } from './sightings.ts';
import type { LookAtFrame, VideoFrame } from './video-frame.ts';

export interface ScannerOptions {
  readonly slotId: number;
  readonly roster: Roster;
  readonly config: SessionConfig;
  /** `first`: a student once a session. */
  readonly mode: 'every' | 'first';
  readonly minFacePx: number;
  readonly minQuality: number;
  readonly look: LookAtFrame;
  /** Told of every frame that was looked at. */
  readonly onLook?: (camera: SessionCamera, look: SessionLook) => void;
  readonly onRecognitions: (recognitions: readonly Recognition[]) => void;
  readonly metrics: AttendanceMetrics;
  readonly log: Log;
}

/** Who is in one frame: students by their full names. */
export interface SessionLook {
  readonly capturedAt: Date;
  /** Of the frame, in pixels, as the boxes are. */
  readonly width: number;
  readonly height: number;
  readonly faces: readonly {
    readonly box: AnalysedFace['box'];
    readonly recognizedAs: string | null;
    /** Plain cosine to the nearest student, or to the one it is taken for. */
    readonly similarity: number | null;
  }[];
}

/** What a session saw so far. */
export interface ScanCounts {
  scans: number;
  droppedScans: number;
  faces: number;
  recognized: number;
  unknown: number;
  uncertain: number;
  tooSmall: number;
  tooPoor: number;
  recognitions: number;
}

const COUNT_OF_OUTCOME = {
  recognized: 'recognized',
  unknown: 'unknown',
  uncertain: 'uncertain',
  too_small: 'tooSmall',
  too_poor: 'tooPoor',
} as const;

export class Scanner {
  readonly #options: ScannerOptions;
  readonly #sightings: Sightings;
  readonly #told = new Set<number>();
  readonly #running = new Set<Promise<void>>();
  readonly counts: ScanCounts = {
    scans: 0,
    droppedScans: 0,
    faces: 0,
    recognized: 0,
    unknown: 0,
    uncertain: 0,
    tooSmall: 0,
    tooPoor: 0,
    recognitions: 0,
  };

  constructor(options: ScannerOptions) {
    this.#options = options;
    this.#sightings = new Sightings(options.config.minSightings, options.config.scanIntervalS);
  }

  /** Never rejects; ends when the frame is dealt with. */
  scan(camera: SessionCamera, frame: VideoFrame): Promise<void> {
    const scan = this.#scan(camera, frame).finally(() => this.#running.delete(scan));
    this.#running.add(scan);
    return scan;
  }

  /** Ends when the frames that were taken in are dealt with. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #scan(camera: SessionCamera, frame: VideoFrame): Promise<void> {
    const { slotId, roster, look, onLook, metrics, log } = this.#options;
    const { width, height, capturedAt } = frame;
    const startedMs = performance.now();
    try {
      const { faces } = await look(frame, {
        index: roster.reference,
        returnEmbeddings: false,
        smallFaces: true,
        source: `slot ${slotId} camera ${camera.id}`,
      });
      metrics.scans.inc({ outcome: 'done' });
      metrics.scanSeconds.observe((performance.now() - startedMs) / 1000);
      this.counts.scans++;
      const limits = { ...this.#options.config, ...this.#options };
      const matched = matchFaces(faces, limits);
      onLook?.(camera, { capturedAt, width, height, faces: matched.map((each) => this.#present(each)) });
      this.#tell(camera, capturedAt, matched);
    } catch (error) {
      this.counts.droppedScans++;
      const overtaken = error instanceof ServerError && error.status === 429;
      metrics.scans.inc({ outcome: overtaken ? 'dropped' : 'failed' });
      const place = { slotId, cameraId: camera.id };
      if (overtaken) log.debug(place, 'a frame was not looked at: too much work is waiting');
      else log.error({ ...place, err: error }, 'a frame could not be looked at');
    }
  }

  #present({ face, student, similarity }: MatchedFace): SessionLook['faces'][number] {
    return {
      box: face.box,
      recognizedAs: student === null ? null : this.#options.roster.students[student]!.fullName,
      similarity: similarity ?? face.match?.similarity ?? null,
    };
  }

  #tell(camera: SessionCamera, capturedAt: Date, faces: readonly MatchedFace[]): void {
    const { roster, metrics, log, mode, slotId, onRecognitions } = this.#options;
    const recognitions: Recognition[] = [];
    for (const { face, outcome, student: number, similarity } of faces) {
      metrics.scannedFaces.inc({ outcome });
      this.counts.faces++;
      this.counts[COUNT_OF_OUTCOME[outcome]]++;
      if (number === null || similarity === null) continue;
      if (mode === 'first' && this.#told.has(number)) continue;
      if (!this.#sightings.add(number, capturedAt.getTime())) continue;
      this.#told.add(number);
      const student = roster.students[number]!;
      const confidence = rounded(Math.min(1, similarity));
      metrics.similarity.observe(confidence);
      log.info({ slotId, cameraId: camera.id, userId: student.userId, confidence }, 'student recognised');
      recognitions.push({
        userId: student.userId,
        fullName: student.fullName,
        rollNumber: student.rollNumber,
        cameraId: camera.id,
        cameraName: camera.name,
        similarity: confidence,
        confidence,
        quality: rounded(face.quality.overall),
        box: {
          x: Math.round(face.box.x),
          y: Math.round(face.box.y),
          width: Math.round(face.box.width),
          height: Math.round(face.box.height),
        },
        embeddingVersion: student.embeddingVersion,
        recognizedAt: contractTime(capturedAt),
      });
    }
    this.counts.recognitions += recognitions.length;
    if (recognitions.length > 0) onRecognitions(recognitions);
  }
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;
