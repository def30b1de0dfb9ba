import Type from 'typebox';
import { bytes, type RouteDescription } from '../route-description.ts';
import { pictureOutcome } from './face.ts';

/** Fields of a form that may carry the picture: the older services' clients used both. */
export const RECOGNIZE_FILE_FIELDS = ['image', 'file'] as const;

/** Codes of pictures that cannot be read, by status. */
export const PICTURE_ERRORS = {
  400: ['EMPTY_PICTURE'],
  413: ['PICTURE_TOO_LARGE'],
  422: ['PICTURE_UNREADABLE'],
  429: ['SUPERSEDED'],
  503: ['NO_PROVIDER'],
} as const;

/** Codes of a form with a file in it. */
export const FILE_ERRORS = ['FILE_MISSING', 'TOO_MANY_FILES', 'WRONG_FIELD'] as const;

/** A picture as the whole of a body, by media type. */
export const pictureBodies = {
  'image/jpeg': bytes('The picture'),
  'image/png': bytes('The picture'),
  'image/webp': bytes('The picture'),
  'image/avif': bytes('The picture'),
};

export const RecognizeQuery = Type.Object({
  annotate: Type.Boolean({
    default: false,
    expected: '1 or 0',
    description: 'Answers with the picture, boxes and names drawn in, instead of JSON',
  }),
});

const recognize = (operationId: string): RouteDescription => ({
  operationId,
  summary: 'Tells who is in a picture',
  details:
    'JPEG, PNG, WebP or AVIF. EXIF orientation is applied: all pixels count from the top left of the upright picture.',
  tag: 'recognition',
  query: RecognizeQuery,
  body: {
    content: {
      'multipart/form-data': Type.Object(
        Object.fromEntries(RECOGNIZE_FILE_FIELDS.map((name) => [name, Type.Optional(bytes('The picture'))])),
        { description: 'One file in one of these fields' },
      ),
      ...pictureBodies,
    },
  },
  answers: {
    200: {
      description: 'The faces, or with `annotate` the picture.',
      content: {
        'application/json': Type.Object({
          success: Type.Literal(true),
          ...pictureOutcome,
          width: Type.Integer({ description: 'Of the upright picture' }),
          height: Type.Integer(),
        }),
        'image/jpeg': bytes('The picture with boxes and names'),
      },
    },
  },
  errors: { ...PICTURE_ERRORS, 400: [...FILE_ERRORS, ...PICTURE_ERRORS[400]] },
});

export const recognizeDescription = recognize('recognize');
export const olderRecognizeDescription = recognize('recognizeAsOlderClients');
