import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openAttendanceBed } from '../support/attendance-bed.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { randomUnitVector, seededRandom } from '../support/vectors.ts';

const { program, reason } = await ffmpegOrReason();

describe('callbacks', { skip: reason }, () => {
  test('go only to the hosts that the settings name', async (t) => {
    const bed = await openAttendanceBed(program!, {
      JAVA_BACKEND_URL: 'http://java-backend:8080',
      ALLOWED_URL_HOSTS: ['Other.Example'],
    });
    t.after(() => bed.close());
    const { server } = bed;
    const ask = (callbackUrl: string) =>
      server.ask('/api/v1/recognition/process-session', {
        slotId: 1,
        roomId: 1,
        students: [
          {
            userId: 1,
            fullName: 'a',
            rollNumber: 'b',
            embeddingVersion: 1,
            embeddingVector: Array.from(randomUnitVector(seededRandom(1))),
          },
        ],
        cameras: [{ id: 1, name: 'a', rtspUrl: 'rtsp://127.0.0.1:1/' }],
        config: { callbackUrl },
      });
    for (const url of [
      'http://evil.example/',
      'http://java-backend.evil.example/',
      'http://169.254.169.254/',
    ])
      assert.equal((await ask(url)).body.code, 'CALLBACK_HOST_NOT_ALLOWED');
    for (const url of ['http://java-backend:9999/cb', 'https://other.example/cb'])
      assert.equal((await ask(url)).body.code, 'ALL_CAMERAS_FAILED');
  });
});
