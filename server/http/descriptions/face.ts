/** A face in an answer, as every route that looks at a picture tells it (face-view.ts). */
import Type from 'typebox';
import { nullable } from '../route-description.ts';

const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const cosine = (description: string) => Type.Number({ minimum: -1.0001, maximum: 1.0001, description });

export const Box = Type.Object(
  { x: Type.Number(), y: Type.Number(), width: Type.Number(), height: Type.Number() },
  { title: 'Box', description: 'Pixels from the top left of the upright picture' },
);

export const FaceQuality = Type.Object(
  {
    overall: share('Weighted geometric mean of the others'),
    size: share('1 from about 100 px on'),
    clarity: share('How sharp'),
    lighting: share('How evenly and brightly lit'),
    angle: share('1 for a face from the front'),
  },
  { title: 'FaceQuality', description: 'Each from 0, useless, to 1, perfect' },
);

export const Face = Type.Object(
  {
    box: Box,
    landmarks: Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), {
      minItems: 5,
      maxItems: 5,
      description:
        'Eye on the left of the picture, eye on the right, tip of the nose, left and right corner of the mouth, each [x, y]',
    }),
    score: share('How sure the detector is'),
    recognizedAs: nullable(Type.String({ description: 'Name of the permitted person' })),
    confidence: share('The similarity of the person named, 0 where nobody is'),
    similarity: nullable(cosine('Plain cosine to the nearest permitted person; null without any')),
    threshold: cosine('Least similarity at which a face gets a name now'),
    margin: nullable(
      Type.Number({
        minimum: 0,
        description: 'How much less similar the second person is; null without one',
      }),
    ),
    unjudged: nullable(
      Type.Enum(['too_small', 'blurred', 'badly_lit', 'turned_away'], {
        description: 'Why nobody is named whatever the similarity; null where the face can be judged',
      }),
    ),
    quality: FaceQuality,
  },
  { title: 'Face' },
);

/** What every answer about a picture says of the whole of it. */
export const pictureOutcome = {
  status: Type.Enum(['permitted_face', 'unknown_face', 'no_face_detected']),
  recognizedAs: nullable(Type.String({ description: 'The surest name in the picture' })),
  confidence: share('Of that name, 0 without one'),
  faces_detected: Type.Integer({ minimum: 0 }),
  processing_time: Type.Number({ minimum: 0, description: 'Seconds' }),
  faces: Type.Array(Face),
};
