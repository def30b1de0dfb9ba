/** What the gallery asks of the database; store/faces.ts answers. Types only. */
import type { Box, FaceQuality } from '../../workers/protocol.ts';

export interface PersonSummary {
  readonly id: number;
  readonly name: string;
  readonly pictures: number;
  readonly createdAt: Date;
  readonly lastPictureAt: Date;
  readonly newestPictureId: number;
}

export interface NewPicture {
  readonly name: string;
  readonly fileName: string;
  readonly sha256: string;
  /** Where the person's face is, in pixels of the upright picture. */
  readonly box: Box;
  readonly quality: FaceQuality;
  readonly modelId: string;
  readonly embedding: Float32Array;
  readonly imported: boolean;
}

export interface GalleryLimits {
  readonly perPerson: number;
  readonly perGallery: number;
}

export interface KnownPicture {
  readonly outcome: 'known';
  readonly name: string;
  readonly personId: number;
  readonly pictureId: number;
  readonly fileName: string;
  readonly quality: FaceQuality;
}

export type AddedPicture =
  | { readonly outcome: 'added'; readonly personId: number; readonly pictureId: number }
  | KnownPicture
  | { readonly outcome: 'person_full' | 'gallery_full'; readonly pictures: number };

export interface StoredEmbedding {
  readonly pictureId: number;
  readonly personId: number;
  readonly embedding: Float32Array;
}

export interface StoredPicture {
  readonly pictureId: number;
  readonly personId: number;
  readonly name: string;
  readonly fileName: string;
  /** Null for pictures that were enrolled before it was kept. */
  readonly box: Box | null;
}

export interface PictureSummary {
  readonly id: number;
  readonly fileName: string;
  /** As in StoredPicture. */
  readonly box: Box | null;
  readonly quality: FaceQuality;
  readonly createdAt: Date;
}

export interface RemovedPicture {
  readonly fileName: string;
  /** It was the person's last one. */
  readonly personRemoved: boolean;
}

export interface GalleryStore {
  galleryId(): Promise<string>;
  persons(): Promise<PersonSummary[]>;
  pictureBySha256(sha256: string): Promise<KnownPicture | null>;
  addPicture(picture: NewPicture, limits: GalleryLimits): Promise<AddedPicture>;
  addEmbedding(pictureId: number, modelId: string, embedding: Float32Array): Promise<boolean>;
  removePerson(name: string): Promise<{ personId: number; fileNames: string[] } | null>;
  picturesOf(name: string): Promise<PictureSummary[]>;
  pictureOf(name: string, pictureId: number): Promise<PictureSummary | null>;
  removePicture(name: string, pictureId: number): Promise<RemovedPicture | null>;
  purge(): Promise<void>;
  fileNames(): Promise<Set<string>>;
  wasImported(sha256: string): Promise<boolean>;
  rememberImport(sha256: string): Promise<void>;
  embeddings(modelId: string): AsyncIterable<StoredEmbedding[]>;
  picturesWithout(modelId: string): Promise<StoredPicture[]>;
}
