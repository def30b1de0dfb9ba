/** A backend with one class slot that is recognised over two cameras that play and one that never answers. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findFfmpeg } from '../../server/cameras/ffmpeg-program.ts';
import { type Backend, startBackend } from '../../test/support/backend.ts';
import { makeFaceClip, PERSON_A, PERSON_A_AGAIN } from '../../test/support/clips.ts';
import { makeH264Clip } from '../../test/support/h264-clip.ts';
import { RtspServer } from '../../test/support/rtsp-server.ts';
import { samplePath } from '../../test/support/samples.ts';
import { verify } from '../harness.ts';
import type { ServerProcess } from './server-process.ts';

const SLOT = 1;

export class Classroom {
  readonly backend: Backend;
  readonly #cameras: readonly RtspServer[];
  #vector: readonly number[] = [];

  private constructor(backend: Backend, cameras: readonly RtspServer[]) {
    this.backend = backend;
    this.#cameras = cameras;
  }

  /** @param uploads UPLOADS_DIR of the server */
  static async open(uploads: string): Promise<Classroom> {
    const program = await findFfmpeg({ searchPath: process.env.PATH });
    const clip = await makeH264Clip(program.path, {
      file: samplePath(PERSON_A.sample),
      width: 1280,
      height: 720,
      durationS: 2,
    });
    await mkdir(uploads, { recursive: true });
    await makeFaceClip(program.path, { path: join(uploads, 'student.mp4'), face: PERSON_A_AGAIN });
    const cameras = [
      await RtspServer.start({ clip }),
      await RtspServer.start({ clip }),
      await RtspServer.start({ clip }),
    ];
    cameras[2]!.fail('silent');
    return new Classroom(await startBackend(), cameras);
  }

  /** Has the student's video embedded, once, and the slot recognised; where it is already, nothing happens. */
  async begin(server: ServerProcess): Promise<void> {
    if (this.#vector.length === 0) {
      const answer = await post(server, '/api/v1/embeddings/generate', {
        videoUrl: '/uploads/student.mp4',
        submissionId: 1,
      });
      verify(answer.status === 200, `the student's video was answered ${answer.status}`);
      this.#vector = (answer.body as { data: { embeddingVector: number[] } }).data.embeddingVector;
    }
    const { status } = await post(server, '/api/v1/recognition/process-session', {
      slotId: SLOT,
      roomId: 1,
      students: [
        { userId: 1, fullName: 'Ada', rollNumber: 'A1', embeddingVector: this.#vector, embeddingVersion: 1 },
      ],
      cameras: this.#cameras.map((camera, i) => ({
        id: i + 1,
        name: `camera ${i + 1}`,
        rtspUrl: camera.url(),
      })),
      config: { similarityThreshold: 0.8, scanInterval: 1, callbackUrl: `${this.backend.url}/callback` },
    });
    verify(status === 200 || status === 409, `process-session was answered ${status}`);
  }

  /** Ends the session and waits until nothing is left in the outbox. */
  async end(server: ServerProcess): Promise<void> {
    await post(server, '/api/v1/recognition/stop-session', { slotId: SLOT });
    const deadlineMs = performance.now() + 120_000;
    while (performance.now() < deadlineMs) {
      const metrics = await (await server.call('/metrics')).text();
      if (/^face_callback_outbox_batches 0$/m.test(metrics)) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    verify(false, 'the outbox was not empty two minutes after the session');
  }

  /** Batches that came, and those of them that came again with other contents under the same id. */
  deliveries(): {
    readonly batches: number;
    readonly recognitions: number;
    readonly repeats: number;
    readonly changed: number;
  } {
    const seen = new Map<string, string>();
    let repeats = 0;
    let changed = 0;
    let recognitions = 0;
    for (const batch of this.backend.accepted) {
      const text = JSON.stringify(batch);
      const known = seen.get(batch.batchId);
      if (known === undefined) {
        seen.set(batch.batchId, text);
        recognitions += batch.recognitions.length;
      } else {
        repeats++;
        if (known !== text) changed++;
      }
    }
    return { batches: seen.size, recognitions, repeats, changed };
  }

  async close(): Promise<void> {
    for (const camera of this.#cameras) await camera.close();
    await this.backend.close();
  }
}

async function post(
  server: ServerProcess,
  path: string,
  body: object,
): Promise<{ status: number; body: unknown }> {
  const answer = await server.call(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });
  return { status: answer.status, body: await answer.json() };
}
