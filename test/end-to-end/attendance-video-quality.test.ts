import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { TEST_KEY } from '../support/attendance.ts';
import { type AttendanceBed, openAttendanceBed } from '../support/attendance-bed.ts';
import type { AttendanceServer } from '../support/attendance-server.ts';
import { BLURRED, NOBODY, TURNED_PERSON } from '../support/clips.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { exchange, sendAndDrop } from '../support/raw-http.ts';
import { sharedPath } from '../support/samples.ts';

const { program, reason } = await ffmpegOrReason();

describe('quality of face videos over HTTP', { skip: reason, timeout: 180_000 }, () => {
  let bed: AttendanceBed;
  let server: AttendanceServer;
  const file = (name: string) => join(server.uploads, name);

  before(async () => {
    bed = await openAttendanceBed(program!);
    server = bed.server;
    await bed.clip('good.mp4');
    await bed.clip('empty.mp4', { filter: NOBODY });
    await bed.clip('dark.mp4', { filter: 'eq=brightness=-0.4:contrast=0.5' });
    await bed.clip('blurred.mp4', { filter: BLURRED });
    await bed.clip('turned.mp4', { face: TURNED_PERSON });
    await bed.clip('small.mp4', { filter: 'scale=256:144,pad=1280:720:500:280:color=gray' });
  });
  after(() => bed.close());

  async function validate(bytes: Uint8Array, name = 'video') {
    const form = new FormData();
    form.set('note', 'a field that nobody asked for');
    form.set(name, new Blob([new Uint8Array(bytes)], { type: 'video/mp4' }), 'face.bin');
    const answer = await server.call('/api/v1/embeddings/validate', { method: 'POST', body: form });
    return { status: answer.status, body: await answer.json() };
  }
  const validateFile = async (name: string) => validate(await readFile(file(name)));
  const leftovers = () => readdir(join(server.folder, 'tmp'));

  test('a good video is acceptable, and says what is good about it', async () => {
    const { status, body } = await validateFile('good.mp4');
    assert.equal(status, 200);
    assert.equal(body.message, 'Video quality is good');
    const { quality, metrics, ...rest } = body.data;
    assert.ok(quality > 0.7);
    assert.deepEqual(Object.keys(metrics), ['faceSize', 'clarity', 'lighting', 'faceAngle']);
    assert.deepEqual(rest, {
      faceDetected: true,
      isAcceptable: true,
      feedback: ['Face is clearly visible', 'Good lighting conditions', 'Face is properly centered'],
    });
  });

  test('a dark, a blurred, a small and a turned face are not acceptable, and the feedback says what to do', async () => {
    for (const [name, metric, sentence] of [
      ['dark.mp4', 'lighting', /^Lighting is poor\. Record/],
      ['blurred.mp4', 'clarity', /^Video is blurry\. Hold camera steady/],
      ['small.mp4', 'faceSize', /^Face is too small\. Move closer/],
      ['turned.mp4', 'faceAngle', /^Face is turned away\. Look straight/],
    ] as const) {
      const { body } = await validateFile(name);
      assert.equal(body.message, 'Video quality needs improvement', name);
      assert.equal(body.data.isAcceptable, false);
      assert.ok(body.data.quality < 0.7 && body.data.metrics[metric] < 0.7, name);
      assert.match(body.data.feedback[0], sentence);
    }
  });

  const stage = sharedPath('data/video/hamilton_clip.mp4');
  test('a person filmed on a stage is acceptable, one far away is not', {
    skip: stage === null ? 'the clips are not beside the project' : false,
  }, async () => {
    // The seconds in which one person is in the picture, close and frontal.
    const part = ['-y', '-nostdin', '-loglevel', 'error', '-ss', '3.6', '-t', '3.5', '-i', stage!, '-an'];
    await promisify(execFile)(program!.path, [...part, file('stage.mp4')]);
    const close = (await validateFile('stage.mp4')).body.data;
    assert.ok(close.quality > 0.7 && close.isAcceptable, JSON.stringify(close));
    const far = (await validate(await readFile(sharedPath('data/video/faces_test.mp4')!))).body.data;
    assert.ok(far.quality < 0.7 && !far.isAcceptable, JSON.stringify(far));
    assert.match(far.feedback[0], /^Face is too small/);
    const { status } = await server.ask('/api/v1/embeddings/generate', {
      videoUrl: '/uploads/stage.mp4',
      submissionId: 1,
    });
    assert.equal(status, 200);
  });

  test('what is no video, shows nobody, is missing or too large is refused with the codes of the contract', async () => {
    const refused = async (answer: Promise<{ status: number; body: unknown }>) => {
      const { status, body } = await answer;
      assert.equal(status, 400);
      return body;
    };
    assert.deepEqual(await refused(validate(Buffer.from('no video at all'))), {
      status: 400,
      message: 'Invalid video format. Allowed: MP4, MOV, AVI',
      code: 'INVALID_FILE_FORMAT',
    });
    assert.deepEqual(await refused(validateFile('empty.mp4')), {
      status: 400,
      message: 'No face detected in video',
      code: 'NO_FACE_DETECTED',
    });
    const required = { status: 400, message: 'Video file is required', code: 'VIDEO_FILE_REQUIRED' };
    assert.deepEqual(await refused(validate(await readFile(file('good.mp4')), 'film')), required);
    assert.deepEqual(await refused(validate(Buffer.alloc(0))), required);
    assert.deepEqual((await server.ask('/api/v1/embeddings/validate', {})).body, required);
    assert.deepEqual(await refused(validate(Buffer.alloc(50 * 1024 * 1024 + 1))), {
      status: 400,
      message: 'Video file exceeds maximum size of 50MB',
      code: 'FILE_TOO_LARGE',
    });
    assert.deepEqual(await leftovers(), []);
  });

  test('an upload without a length is counted on the way', async () => {
    const piece = new Uint8Array(1 << 20);
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pieces === 0)
          controller.enqueue(
            Buffer.from(
              '--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n',
            ),
          );
        pieces++;
        controller.enqueue(piece);
        if (pieces > 60) controller.close();
      },
    });
    const answer = await server.call('/api/v1/embeddings/validate', {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      body,
      duplex: 'half',
    } as RequestInit);
    assert.equal((await answer.json()).code, 'FILE_TOO_LARGE');
  });

  test('an upload is read in whatever pieces it comes, with a preamble before and an epilogue after it', async () => {
    const video = await readFile(file('small.mp4'));
    const body = Buffer.concat([
      Buffer.from(
        'preamble\r\n--bound\r\nContent-Disposition: form-data; name=note\r\n\r\n--boun\r\n--bound\r\n',
      ),
      Buffer.from('content-disposition: form-data; name="video"; filename="a"\r\n\r\n'),
      video,
      Buffer.from('\r\n--bound--\r\nepilogue'),
    ]);
    const head = `POST /api/v1/embeddings/validate HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-API-Key: ${TEST_KEY}\r\nContent-Type: multipart/form-data; boundary=bound\r\nContent-Length: ${body.length}\r\n\r\n`;
    const pieces: Uint8Array[] = [];
    // A byte at a time at both ends, where the boundaries are.
    for (let at = 0; at < body.length; ) {
      const length = at < 220 || at > body.length - 60 ? 1 : Math.min(4093, body.length - 60 - at) || 1;
      pieces.push(body.subarray(at, at + length));
      at += length;
    }
    const answer = await exchange(server.port, [head, ...pieces]);
    assert.equal(answer.status, 200);
    assert.match(answer.body, /Face is too small/);
    assert.deepEqual(await leftovers(), []);
  });

  test('an upload that is cut off leaves nothing behind', async () => {
    const head = `POST /api/v1/embeddings/validate HTTP/1.1\r\nHost: a\r\nX-API-Key: ${TEST_KEY}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="video"\r\n\r\nabcdef`;
    await sendAndDrop(server.port, head);
    // Another upload, after which the one before is over as well.
    await validateFile('good.mp4');
    while ((await leftovers()).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
