/** What the gallery does after the start, while people are already recognised by what is ready. */
import type { Log } from './log.ts';
import type { Gallery } from './recognition/gallery.ts';

/** Embeds anew what another model had embedded, then takes in PERMITTED_FACES_DIR. Never rejects. */
export async function prepareGallery(gallery: Gallery, log: Log): Promise<void> {
  try {
    const reembedded = await gallery.reembed((progress) =>
      log.info(progress, 'embedding the gallery with the present model'),
    );
    const imported = await gallery.importPermitted();
    log.debug({ reembedded, imported }, 'the gallery is complete');
  } catch (error) {
    log.error({ err: error }, 'the gallery could not be completed');
  }
}
