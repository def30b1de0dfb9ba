import Type from 'typebox';
import { bytes, json, type RouteDescription, time } from '../route-description.ts';
import { FaceQuality } from './face.ts';
import { FILE_ERRORS, PICTURE_ERRORS, pictureBodies } from './recognition.ts';

const name = Type.String({ minLength: 1, description: 'Name of the person' });

export const AddFaceQuery = Type.Object({
  name: Type.Optional(
    Type.String({
      description: 'Name of the person, where the picture is the whole body and no form carries it',
    }),
  ),
});

export const PersonPath = Type.Object({ name });

/** Of every way to enrol somebody. */
export const Enrolment = Type.Object({
  success: Type.Literal(true),
  message: Type.String(),
  subjectName: Type.String(),
  filename: Type.String({ description: 'Name of the picture in the gallery' }),
  faceId: Type.Integer({ description: 'The number of the picture among the pictures of the gallery' }),
  quality: FaceQuality,
  warnings: Type.Array(Type.String()),
});

/** What refuses a face that nobody should be known by. */
export const FACE_REFUSALS = [
  'PERSON_FULL',
  'FACE_TOO_SMALL',
  'FACE_BLURRED',
  'FACE_TURNED',
  'FACE_BADLY_LIT',
] as const;

export const filesLeft = Type.Array(Type.String(), {
  description: 'Files of that name in PERMITTED_FACES_DIR: they stay, and are not enrolled again',
});

export const addFaceDescription: RouteDescription = {
  operationId: 'addPermittedFace',
  summary: 'Enrols a picture of a person',
  details:
    'Several pictures of one name add up; the same picture twice is not doubled. A face that looks like another person is accepted with a warning.',
  tag: 'people',
  query: AddFaceQuery,
  body: {
    content: {
      'multipart/form-data': Type.Object({ image: bytes('A picture of this one person'), name }),
      ...pictureBodies,
    },
  },
  answers: {
    200: json(Enrolment, 'The person is enrolled.'),
  },
  errors: {
    ...PICTURE_ERRORS,
    400: [...FILE_ERRORS, ...PICTURE_ERRORS[400]],
    409: ['PICTURE_OF_ANOTHER'],
    422: [...PICTURE_ERRORS[422], 'NO_FACE', 'SEVERAL_FACES', ...FACE_REFUSALS],
    507: ['DISK_FULL', 'GALLERY_FULL'],
  },
};

export const listPeopleDescription: RouteDescription = {
  operationId: 'listPermittedFaces',
  summary: 'Lists the people whom the server knows',
  tag: 'people',
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        data: Type.Array(
          Type.Object({
            name: Type.String(),
            pictures: Type.Integer({ minimum: 0 }),
            createdAt: time('When the person was enrolled'),
            lastPictureAt: time('When the newest picture came'),
            picture: Type.String({ description: 'Where the newest picture is' }),
          }),
        ),
      }),
      'The people.',
    ),
  },
};

export const removePersonDescription: RouteDescription = {
  operationId: 'removePermittedFace',
  summary: 'Forgets a person: embeddings, pictures, memory',
  tag: 'people',
  path: PersonPath,
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        message: Type.String(),
        name: Type.String(),
        pictures: Type.Integer({ minimum: 0, description: 'Pictures that were removed' }),
        filesLeft,
      }),
      'The person is forgotten.',
    ),
  },
  errors: { 404: ['NOT_FOUND'], 500: ['PICTURES_LEFT'] },
};
