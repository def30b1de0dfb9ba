/** What enrolling a picture comes to. */
import type { FaceQuality } from '../../workers/protocol.ts';
import { ServerError } from '../errors.ts';
import type { GalleryLimits, KnownPicture } from './gallery-store.ts';

export interface Enrolment {
  readonly name: string;
  readonly fileName: string;
  readonly faceId: number;
  readonly quality: FaceQuality;
  /** True where this very picture was enrolled before: nothing was added. */
  readonly alreadyEnrolled: boolean;
  /** Set where the face would be recognised as another person: twins, or a picture under the wrong name. */
  readonly warning: string | null;
}

/** The refusal where a limit is reached. */
export function full(
  what: 'person_full' | 'gallery_full',
  pictures: number,
  name: string,
  limits: GalleryLimits,
): ServerError {
  return what === 'person_full'
    ? new ServerError(
        422,
        'PERSON_FULL',
        `${name} has ${pictures} pictures already, the limit is ${limits.perPerson}: more would not help`,
      )
    : new ServerError(
        507,
        'GALLERY_FULL',
        `${pictures} pictures are enrolled already, the limit is ${limits.perGallery}: remove people first`,
      );
}

/**
 * The answer where this very picture is known.
 * @throws ServerError 409 PICTURE_OF_ANOTHER where it is known under another name
 */
export function alreadyEnrolled(known: KnownPicture, name: string): Enrolment {
  if (known.name !== name)
    throw new ServerError(
      409,
      'PICTURE_OF_ANOTHER',
      `this picture is enrolled as ${known.name}: send another picture, or remove ${known.name} first`,
    );
  return {
    name,
    fileName: known.fileName,
    faceId: known.pictureId,
    quality: known.quality,
    alreadyEnrolled: true,
    warning: null,
  };
}
