/** Adds an enrolment picture to the database, in step with its file. */
import { ServerError } from '../errors.ts';
import { full } from './enrolment-outcome.ts';
import type { GalleryLimits, GalleryStore, KnownPicture, NewPicture } from './gallery-store.ts';

export type AddedRow =
  | { readonly outcome: 'added'; readonly personId: number; readonly pictureId: number }
  | KnownPicture;

/**
 * @param discard removes the file: called where no row was added for it
 * @throws ServerError 422 or 507 where a limit is reached, and what the database throws
 */
export async function addPictureRow(
  store: Pick<GalleryStore, 'addPicture' | 'pictureBySha256'>,
  picture: NewPicture,
  limits: GalleryLimits,
  discard: () => Promise<void>,
): Promise<AddedRow> {
  try {
    const added = await store.addPicture(picture, limits);
    if (added.outcome === 'added') return added;
    await discard();
    if (added.outcome === 'known') return added;
    throw full(added.outcome, added.pictures, picture.name, limits);
  } catch (error) {
    if (error instanceof ServerError && error.status !== 503) throw error;
    // The connection may have broken after the commit: then the row is there and needs its file. Where the database cannot be
    // asked, the file stays, and the next start removes it if it belongs to nobody.
    const found = await store.pictureBySha256(picture.sha256);
    if (found?.fileName === picture.fileName)
      return { outcome: 'added', personId: found.personId, pictureId: found.pictureId };
    await discard();
    throw error;
  }
}
