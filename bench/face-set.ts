/** Photographs with known people, for measuring how often two pictures are taken for one person. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodePicture } from '../workers/decode.ts';
import { findFaces, type PipelineParts } from '../workers/pipeline.ts';
import type { EmbeddedView } from '../workers/protocol.ts';

export interface KnownFace {
  readonly embedding: Float32Array;
  /** Of the face as it stands, without its mirror image. */
  readonly straight: Float32Array;
  /** The folder's name; null for a stranger, of whom only the photo is known. */
  readonly person: string | null;
  readonly photo: string;
}

export interface FaceSet {
  readonly faces: readonly KnownFace[];
  readonly people: number;
  readonly photos: number;
  /** Photos of known people in which no face was found. */
  readonly missed: readonly string[];
}

const PICTURE = /\.(jpe?g|png|webp|avif)$/i;

/** What a second camera would make of a photo: smaller, and compressed again. */
const COPIES = [
  (photo: Buffer) => Promise.resolve(photo),
  async (photo: Buffer) => {
    const { width } = await sharp(photo).metadata();
    return sharp(photo)
      .resize(Math.round(width * 0.6))
      .jpeg({ quality: 50 })
      .toBuffer();
  },
];

/**
 * @param peopleFolder a folder for each person, with photos of whom the largest face is that person
 * @param strangersFolder photos of people who are in none of those folders, all of their faces
 */
export async function loadFaceSet(
  parts: PipelineParts,
  peopleFolder: string,
  strangersFolder: string,
): Promise<FaceSet> {
  const faces: KnownFace[] = [];
  const missed: string[] = [];
  const people = (await readdir(peopleFolder, { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  let photos = 0;
  for (const { name: person } of people) {
    for (const photo of await picturesIn(join(peopleFolder, person))) {
      photos++;
      for (const bytes of await copiesOf(photo)) {
        const found = await facesIn(parts, bytes);
        const largest = found.sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)[0];
        if (largest) faces.push({ ...largest, person, photo });
        else if (!missed.includes(photo)) missed.push(photo);
      }
    }
  }
  for (const photo of await picturesIn(strangersFolder)) {
    photos++;
    for (const bytes of await copiesOf(photo)) {
      for (const face of await facesIn(parts, bytes)) faces.push({ ...face, person: null, photo });
    }
  }
  return { faces, people: people.length, photos, missed };
}

const picturesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder))
    .filter((file) => PICTURE.test(file))
    .sort()
    .map((file) => join(folder, file));

async function copiesOf(path: string): Promise<Buffer[]> {
  const photo = await readFile(path);
  return Promise.all(COPIES.map((copy) => copy(photo)));
}

async function facesIn(parts: PipelineParts, bytes: Buffer) {
  const { picture, width } = await decodePicture(bytes, parts.limits);
  const look = (view: EmbeddedView) =>
    findFaces(parts, picture, width / picture.width, { index: null, returnEmbeddings: true, view });
  const both = (await look('both')).faces;
  const straight = (await look('straight')).faces;
  return both.map(({ box, embedding }, i) => ({
    box,
    embedding: embedding!,
    straight: straight[i]!.embedding!,
  }));
}

/** How far the mirror image moves similarities that are at least `above`, up or down: the largest of all pairs of two photos. */
export function largestMirrorShift({ faces }: FaceSet, above: number): { shift: number; pairs: number } {
  let shift = 0;
  let pairs = 0;
  for (const asked of faces) {
    for (const enrolled of faces) {
      if (asked.photo === enrolled.photo) continue;
      const first = cosine(asked.straight, enrolled.embedding);
      if (first < above) continue;
      pairs++;
      shift = Math.max(shift, Math.abs(cosine(asked.embedding, enrolled.embedding) - first));
    }
  }
  return { shift, pairs };
}

export interface Trials {
  /** Cosines of two photos of one person, rising. */
  readonly genuine: Float64Array;
  /** Cosines of two people, rising. */
  readonly impostor: Float64Array;
}

/** Every pair of faces of two photos; of strangers only pairs that are certainly two people: with a known person, or in one photo. */
export function trialsOf({ faces }: FaceSet): Trials {
  const genuine: number[] = [];
  const impostor: number[] = [];
  for (const [i, first] of faces.entries()) {
    for (const second of faces.slice(i + 1)) {
      const kind = kindOf(first, second);
      if (kind === 'unknown') continue;
      (kind === 'genuine' ? genuine : impostor).push(cosine(first.embedding, second.embedding));
    }
  }
  return { genuine: Float64Array.from(genuine).sort(), impostor: Float64Array.from(impostor).sort() };
}

function kindOf(first: KnownFace, second: KnownFace): 'genuine' | 'impostor' | 'unknown' {
  if (first.person !== null && second.person !== null) {
    if (first.photo === second.photo) return 'unknown';
    return first.person === second.person ? 'genuine' : 'impostor';
  }
  return first.person !== null || second.person !== null ? 'impostor' : 'unknown';
}

export function cosine(first: Float32Array, second: Float32Array): number {
  let dot = 0;
  for (let i = 0; i < first.length; i++) dot += first[i]! * second[i]!;
  return dot;
}
