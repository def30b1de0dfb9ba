/**
 * "Pictures" that say in JSON which faces are on them, and a recogniser that reads them: for tests of what happens before and after the
 * networks, without loading any.
 */
import type { Recognizer } from '../../server/recognition/recognizer.ts';
import type { AnalysedFace, AnalyseResult, FaceQuality } from '../../workers/protocol.ts';
import { near, randomUnitVector, seededRandom } from './vectors.ts';

export interface WrittenFace {
  /** Faces of one person are near each other, cosine about 0.98; those of two are about 0. */
  readonly person: number;
  readonly widthPx?: number;
  /** Left edge of its box, 10 unless given; the top edge likewise. */
  readonly x?: number;
  readonly y?: number;
  readonly quality?: Partial<FaceQuality>;
}

interface WrittenPicture {
  readonly serial: string;
  readonly faces: readonly WrittenFace[];
}

let serial = 0;

/** Every call gives other bytes. */
export function writtenPicture(...faces: WrittenFace[]): Uint8Array {
  serial++;
  return new TextEncoder().encode(JSON.stringify({ serial: `${process.pid}-${serial}`, faces }));
}

/** The face of a person as a network would see it; the `variant` makes the difference between pictures. */
export function embeddingOf(person: number, variant = 1): Float32Array {
  const centre = randomUnitVector(seededRandom(1_000_003 * (person + 1)));
  return near(centre, 0.2, seededRandom(variant));
}

/** `dimension` stands for a model: embeddings of two do not compare. */
export function writtenRecognizer(
  model = 0,
): Pick<Recognizer, 'analyse' | 'crop'> & { calls: number; failWith: Error | null } {
  return {
    calls: 0,
    failWith: null,
    async analyse(task) {
      this.calls++;
      if (this.failWith) throw this.failWith;
      const { serial, faces } = JSON.parse(new TextDecoder().decode(task.input.bytes)) as WrittenPicture;
      const variant = [...serial].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 7) >>> 0;
      return {
        kind: 'analysed',
        threadId: 1,
        width: 640,
        height: 480,
        faces: faces.map((face) => analysed(face, 7919 * model, variant, task.returnEmbeddings)),
        timings: {
          decodeMs: 0,
          enhanceMs: 0,
          detectMs: 0,
          alignMs: 0,
          embedMs: 0,
          matchMs: 0,
          encodeMs: 0,
          totalMs: 0,
        },
        jpeg: null,
        enhancement: null,
      } satisfies AnalyseResult;
    },
    /** A "picture" of those whose face lies wholly in the region. */
    async crop({ input, region }) {
      const written = JSON.parse(new TextDecoder().decode(input.bytes)) as WrittenPicture;
      const cut = region ?? { x: 0, y: 0, width: 640, height: 480 };
      const faces = written.faces
        .filter(({ x = 10, widthPx = 120 }) => x >= cut.x && x + widthPx <= cut.x + cut.width)
        .map((face) => ({ ...face, x: (face.x ?? 10) - cut.x, y: (face.y ?? 10) - cut.y }));
      const jpeg = new TextEncoder().encode(JSON.stringify({ serial: `cut of ${written.serial}`, faces }));
      return { kind: 'cropped', jpeg, region: cut, scale: 1 };
    },
  };
}

function analysed(
  { person, widthPx = 120, x = 10, y = 10, quality = {} }: WrittenFace,
  shift: number,
  variant: number,
  withEmbedding: boolean,
): AnalysedFace {
  return {
    box: { x, y, width: widthPx, height: 1.2 * widthPx },
    landmarks: [
      [30, 50],
      [90, 50],
      [60, 80],
      [40, 110],
      [80, 110],
    ],
    score: 0.99,
    quality: { overall: 0.9, size: 0.9, clarity: 0.9, lighting: 0.9, angle: 0.9, ...quality },
    embedding: withEmbedding ? embeddingOf(person + shift, variant) : null,
    match: null,
  };
}
