/** How faces and their names are told to clients: one function for every route that looks at a picture. */
import type { AnalysedFace, AnalyseResult, FaceQuality, IndexMatch } from '../../workers/protocol.ts';
import type { Decision } from '../recognition/gallery-decision.ts';

export type Decide = (match: IndexMatch | null, quality: FaceQuality, noisy?: boolean) => Decision;

export interface FaceView extends Decision {
  readonly box: AnalysedFace['box'];
  /** Pixels from the top left of the upright picture. */
  readonly landmarks: AnalysedFace['landmarks'];
  readonly score: number;
  readonly quality: AnalysedFace['quality'];
}

/** The outcome for the whole picture, in the words of both older services. */
export interface PictureOutcome {
  readonly status: 'permitted_face' | 'unknown_face' | 'no_face_detected';
  readonly recognitionStatus: 'recognized' | 'unknown_face' | 'no_faces';
  readonly recognizedAs: string | null;
  readonly confidence: number;
  readonly faces: readonly FaceView[];
}

export function presentFaces(result: AnalyseResult, decide: Decide): PictureOutcome {
  const faces = result.faces.map((face) => presentFace(face, decide));
  const best = faces
    .filter((face) => face.recognizedAs !== null)
    .reduce<FaceView | null>((a, b) => (a === null || b.confidence > a.confidence ? b : a), null);
  const words = best
    ? ({ status: 'permitted_face', recognitionStatus: 'recognized' } as const)
    : faces.length > 0
      ? ({ status: 'unknown_face', recognitionStatus: 'unknown_face' } as const)
      : ({ status: 'no_face_detected', recognitionStatus: 'no_faces' } as const);
  return { ...words, recognizedAs: best?.recognizedAs ?? null, confidence: best?.confidence ?? 0, faces };
}

function presentFace(face: AnalysedFace, decide: Decide): FaceView {
  const { recognizedAs, confidence, similarity, threshold, margin, unjudged } = decide(
    face.match,
    face.quality,
    face.noisy,
  );
  return {
    box: {
      x: rounded(face.box.x, 2),
      y: rounded(face.box.y, 2),
      width: rounded(face.box.width, 2),
      height: rounded(face.box.height, 2),
    },
    landmarks: face.landmarks.map(([x, y]) => [
      rounded(x, 2),
      rounded(y, 2),
    ]) as unknown as FaceView['landmarks'],
    score: rounded(face.score, 4),
    recognizedAs,
    confidence: rounded(Math.min(1, Math.max(0, confidence)), 4),
    similarity: similarity === null ? null : rounded(similarity, 4),
    threshold: rounded(threshold, 4),
    margin: margin === null ? null : rounded(margin, 4),
    unjudged,
    quality: {
      overall: rounded(face.quality.overall, 3),
      size: rounded(face.quality.size, 3),
      clarity: rounded(face.quality.clarity, 3),
      lighting: rounded(face.quality.lighting, 3),
      angle: rounded(face.quality.angle, 3),
    },
  };
}

/** More digits than a measure has only make an answer longer, and boards have little memory. */
function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
