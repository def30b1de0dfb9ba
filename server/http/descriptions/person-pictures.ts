import Type from 'typebox';
import { bytes, json, nullable, type RouteDescription, time } from '../route-description.ts';
import { FaceQuality } from './face.ts';
import { Enrolment, FACE_REFUSALS, filesLeft, PersonPath } from './people.ts';
import { FILE_ERRORS, PICTURE_ERRORS } from './recognition.ts';

const side = () =>
  Type.Number({ exclusiveMinimum: 0, maximum: 65_535, expected: 'a number of pixels above 0' });
const place = () =>
  Type.Number({ minimum: -65_535, maximum: 65_535, expected: 'a number of pixels from the top left' });

const FaceBox = Type.Object(
  { x: place(), y: place(), width: side(), height: side() },
  { expected: 'an object with x, y, width and height in pixels of the upright picture' },
);

const personName = Type.String({ expected: 'the name of the person' });

export const FaceOfFrame = Type.Object({
  name: personName,
  frame: Type.String({
    maxLength: 200,
    expected: 'the file name of a stored frame',
    description: 'As `filename` in the answer to a frame, and in the list of frames',
  }),
  box: FaceBox,
});

export const FaceOfPicture = Type.Object({ name: personName, box: FaceBox });

export const PicturePath = Type.Object({
  name: personName,
  pictureId: Type.Integer({ minimum: 1, maximum: 2_147_483_647, expected: 'the number of a picture' }),
});

export const ImageQuery = Type.Object({
  thumbnail: Type.Boolean({
    default: false,
    expected: '1 or 0',
    description: 'The face alone, at most 192 px on a side, instead of the file as it was posted',
  }),
});

export const enrolFromFrameDescription: RouteDescription = {
  operationId: 'enrolFaceOfFrame',
  summary: 'Enrols a face of a stored frame',
  details:
    'The face at that box is meant, whoever else is in the picture. What is stored is a part of the frame around it, after the checks of every enrolment. A picture that is stored nowhere comes in a form: `image`, `name`, and `box` as JSON.',
  tag: 'people',
  body: {
    content: {
      'application/json': FaceOfFrame,
      'multipart/form-data': Type.Object({
        image: bytes('JPEG, PNG, WebP or AVIF'),
        name: personName,
        box: Type.String({ description: 'JSON: x, y, width, height in pixels of the upright picture' }),
      }),
    },
  },
  answers: { 200: json(Enrolment, 'The face is enrolled.') },
  errors: {
    ...PICTURE_ERRORS,
    400: [...FILE_ERRORS, ...PICTURE_ERRORS[400], 'MALFORMED_JSON', 'JSON_TOO_DEEP', 'NOT_UTF8'],
    404: ['NOT_FOUND'],
    409: ['PICTURE_OF_ANOTHER'],
    422: [...PICTURE_ERRORS[422], 'FACE_NOT_THERE', ...FACE_REFUSALS],
    507: ['DISK_FULL', 'GALLERY_FULL'],
  },
};

export const listPicturesDescription: RouteDescription = {
  operationId: 'listPicturesOfPerson',
  summary: 'The pictures by which a person is known, oldest first',
  tag: 'people',
  path: PersonPath,
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        data: Type.Array(
          Type.Object({
            pictureId: Type.Integer(),
            url: Type.String({ description: 'Where the picture itself is' }),
            createdAt: time('When it was enrolled'),
            quality: FaceQuality,
            box: nullable(FaceBox),
          }),
        ),
      }),
      'The pictures; `box` is null for those that were enrolled before it was kept.',
    ),
  },
  errors: { 404: ['NOT_FOUND'] },
};

export const showPictureDescription: RouteDescription = {
  operationId: 'getPictureOfPerson',
  summary: 'A picture by which a person is known',
  tag: 'people',
  path: PicturePath,
  query: ImageQuery,
  answers: {
    200: {
      description: 'The picture, never cached.',
      content: {
        'image/jpeg': bytes('Every thumbnail, and what was posted as JPEG'),
        'image/png': bytes('What was posted as PNG'),
        'image/webp': bytes('What was posted as WebP'),
        'image/avif': bytes('What was posted as AVIF'),
      },
    },
  },
  errors: { 404: ['NOT_FOUND'] },
};

export const removePictureDescription: RouteDescription = {
  operationId: 'removePictureOfPerson',
  summary: 'Removes a picture, and with the last one the person',
  details: 'Row, file and embedding are gone when this answers, in memory too.',
  tag: 'people',
  path: PicturePath,
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        message: Type.String(),
        name: Type.String(),
        personRemoved: Type.Boolean({ description: 'It was the last picture' }),
        filesLeft,
      }),
      'The picture is gone.',
    ),
  },
  errors: { 404: ['NOT_FOUND'], 500: ['PICTURES_LEFT'] },
};
