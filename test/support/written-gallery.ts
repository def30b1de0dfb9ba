/** Galleries whose pictures are written, in place of networks. */
import { join } from 'node:path';
import { pino } from 'pino';
import { embedderModels } from '../../models/manifest.ts';
import { type Gallery, type GalleryOptions, openGallery } from '../../server/recognition/gallery.ts';
import { writtenRecognizer } from './written-pictures.ts';

/** @param folder of the test: pictures lie in `faces`, those of older servers in `permitted_faces` */
export function openWrittenGallery(
  folder: string,
  options: Pick<GalleryOptions, 'store'> & Partial<GalleryOptions>,
): Promise<Gallery> {
  return openGallery({
    pictureFolder: join(folder, 'faces'),
    permittedFolder: join(folder, 'permitted_faces'),
    embedderId: 'model-a',
    calibration: embedderModels[0]!.calibration,
    similarityThreshold: 0.85,
    falsePositiveIdentificationRate: 0.01,
    recognizer: writtenRecognizer(),
    maxPictureBytes: 1000,
    log: pino({ level: 'silent' }),
    ...options,
  });
}
