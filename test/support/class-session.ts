/** A session of slot 7 at a whole server, with one student: the person furthest left in what `makeRoomClip` shows. */
import assert from 'node:assert/strict';
import { PERSON_A } from './clips.ts';
import { readSample } from './samples.ts';
import type { TestServer } from './server.ts';

export const STUDENT = 'Ada Berg';

export interface ClassCamera {
  readonly id: number;
  readonly name: string;
  readonly rtspUrl: string;
}

export async function startClassSession(server: TestServer, cameras: readonly ClassCamera[]): Promise<void> {
  const { faces } = await server.recognizer.analyse({
    input: { kind: 'encoded', bytes: new Uint8Array(await readSample(PERSON_A.sample)) },
    index: null,
    returnEmbeddings: true,
    jpegQuality: null,
  });
  const [student] = faces.toSorted((a, b) => a.box.x - b.box.x);
  const response = await server.call('/api/v1/recognition/process-session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      slotId: 7,
      roomId: 1,
      cameras,
      students: [
        {
          userId: 1,
          fullName: STUDENT,
          rollNumber: 'A1',
          embeddingVersion: 1,
          embeddingVector: [...student!.embedding!],
        },
      ],
      config: { similarityThreshold: 0.85, scanInterval: 1, callbackUrl: 'http://127.0.0.1:9/callback' },
    }),
  });
  assert.equal(response.status, 200, await response.text());
}
