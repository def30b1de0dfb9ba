/** What Python programs run for the same job: the package face_recognition over dlib, where it is installed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Picture } from '../../kernels/picture.ts';
import type { Box } from '../../workers/protocol.ts';
import { openPythonPeer } from './python.ts';

export interface FaceRecognitionPeer {
  /** Name and versions, for the report. */
  readonly description: string;
  /** From decoded pixels to embeddings, that often. */
  find(times: number): Promise<{ readonly timesMs: readonly number[]; readonly boxes: readonly Box[] }>;
  close(): Promise<void>;
}

/** @param interpreter a python that has the package; else those of the machine are tried. @returns null where none has it */
export async function openFaceRecognitionPeer(
  picture: Picture,
  interpreter?: string,
): Promise<FaceRecognitionPeer | null> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-peer-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const pixels = join(folder, 'picture.rgb');
  await writeFile(pixels, picture.data);
  const words = [pixels, String(picture.width), String(picture.height)];
  const peer = await openPythonPeer('./face-recognition.py', ['face_recognition'], words, interpreter);
  if (peer === null) {
    await remove();
    return null;
  }
  const { version, dlib } = peer.greeting as { version: string; dlib: string };
  return {
    description: `Python's face_recognition ${version}, dlib ${dlib}, HOG detector`,
    find: async (times) => (await peer.ask(`find ${times}`)) as { timesMs: number[]; boxes: Box[] },
    async close() {
      await peer.close();
      await remove();
    },
  };
}
