/** What tests of a gallery start from: an empty database, a folder, and a gallery whose pictures are written, in place of networks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { EmbeddingIndexReader } from '../../kernels/embedding-index.ts';
import type { Gallery, GalleryOptions } from '../../server/recognition/gallery.ts';
import type { GalleryStore } from '../../server/recognition/gallery-store.ts';
import { createFaceStore } from '../../server/store/faces.ts';
import type { IndexMatch } from '../../workers/protocol.ts';
import { type DatabaseKind, openTestDatabase, type TestDatabase } from './database.ts';
import { PERFECT_QUALITY } from './vectors.ts';
import { openWrittenGallery } from './written-gallery.ts';
import { embeddingOf } from './written-pictures.ts';

export class GalleryBed {
  testDatabase!: TestDatabase;
  store!: GalleryStore;
  folder!: string;
  pictureFolder!: string;
  /** The one that each test starts with; a test that restarts puts its next one here. */
  gallery!: Gallery;
  readonly #opened: Gallery[] = [];

  /** Within a `describe`, before its tests: everything but the database is new for each of them. */
  static forEachTest(kind: DatabaseKind): GalleryBed {
    const bed = new GalleryBed();
    before(async () => {
      bed.testDatabase = await openTestDatabase(kind);
      bed.store = createFaceStore(bed.testDatabase.database);
    });
    beforeEach(async () => {
      await bed.testDatabase.reset();
      bed.folder = await mkdtemp(join(tmpdir(), 'facepool-test-gallery-'));
      bed.pictureFolder = join(bed.folder, 'faces', await bed.store.galleryId());
      bed.gallery = await bed.open();
    });
    afterEach(async () => {
      for (const one of bed.#opened.splice(0)) await one.close();
      await rm(bed.folder, { recursive: true, force: true });
    });
    after(() => bed.testDatabase.close());
    return bed;
  }

  /** A start of the server with what is stored. */
  async open(changes: Partial<GalleryOptions> = {}): Promise<Gallery> {
    const opened = await openWrittenGallery(this.folder, { store: this.store, ...changes });
    this.#opened.push(opened);
    return opened;
  }
}

/** What the gallery says of another picture of this person. */
export const recognise = (gallery: Gallery, person: number) =>
  gallery.withIndex(async (index) =>
    gallery.decide(index === null ? null : search(index.memory, person), PERFECT_QUALITY),
  );

/** Whom the index in this memory finds for another picture of this person. */
export function search(memory: WebAssembly.Memory, person: number): IndexMatch | null {
  const reader = EmbeddingIndexReader.attach(memory);
  const match = reader.search(embeddingOf(person, 77));
  reader.detach();
  return match;
}
