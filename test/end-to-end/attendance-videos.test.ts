import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { embedderModels } from '../../models/manifest.ts';
import { createSpaceCheck } from '../../workers/embedding-space.ts';
import { TEST_KEY } from '../support/attendance.ts';
import { type AttendanceBed, openAttendanceBed } from '../support/attendance-bed.ts';
import type { AttendanceServer } from '../support/attendance-server.ts';
import { type FaceClipOptions, PERSON_B, TURNED_PERSON } from '../support/clips.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { cosine } from '../support/pipeline.ts';
import { exchange, sendAndDrop } from '../support/raw-http.ts';
import { sharedPath } from '../support/samples.ts';

const { program, reason } = await ffmpegOrReason();

describe('face videos over HTTP', { skip: reason, timeout: 180_000 }, () => {
  let bed: AttendanceBed;
  let server: AttendanceServer;
  const file = (name: string) => join(server.uploads, name);
  const clip = (name: string, options: Partial<FaceClipOptions> = {}) => bed.clip(name, options);

  before(async () => {
    bed = await openAttendanceBed(program!);
    server = bed.server;
    await mkdir(join(server.uploads, 'identity', '201'), { recursive: true });
    await clip('good.mp4');
    await clip('empty.mp4', { filter: 'drawbox=color=gray:t=fill' });
    await clip('two.mp4', { followedBy: PERSON_B, durationS: 2 });
    await clip('dark.mp4', { filter: 'eq=brightness=-0.4:contrast=0.5' });
    await clip('blurred.mp4', { filter: 'boxblur=8:2' });
    await clip('turned.mp4', { face: TURNED_PERSON });
    await clip('small.mp4', { filter: 'scale=256:144,pad=1280:720:500:280:color=gray' });
    await copyFile(file('good.mp4'), file('identity/201/1729339200_face_video.mp4'));
  });
  after(() => bed.close());

  const generate = (videoUrl: unknown, submissionId: unknown = 1) =>
    server.ask('/api/v1/embeddings/generate', { videoUrl, submissionId });

  async function validate(bytes: Uint8Array, name = 'video') {
    const form = new FormData();
    form.set('note', 'a field that nobody asked for');
    form.set(name, new Blob([new Uint8Array(bytes)], { type: 'video/mp4' }), 'face.bin');
    const answer = await server.call('/api/v1/embeddings/validate', { method: 'POST', body: form });
    return { status: answer.status, body: await answer.json() };
  }
  const validateFile = async (name: string) => validate(await readFile(file(name)));
  const leftovers = () => readdir(join(server.folder, 'tmp'));

  test('a video becomes an embedding, as the contract says', async () => {
    const { status, body } = await generate('/uploads/identity/201/1729339200_face_video.mp4', 17);
    assert.equal(status, 200);
    assert.equal(body.message, 'Face embedding generated successfully');
    const { embeddingVector, quality, processingTime, ...rest } = body.data;
    assert.deepEqual(rest, {
      submissionId: 17,
      faceDetected: true,
      totalFrames: 6,
      framesWithFace: 6,
      embeddingModel: 'dlib-resnet-v1',
    });
    assert.equal(embeddingVector.length, 512);
    assert.ok(Math.abs(Math.hypot(...embeddingVector) - 1) < 1e-5);
    assert.equal(createSpaceCheck(embedderModels[0]!)(Float32Array.from(embeddingVector)), true);
    assert.ok(quality > 0.8 && quality <= 1);
    assert.ok(processingTime > 0);
  });

  test('MOV and AVI are read as well, whatever the file is called', async () => {
    await clip('quicktime.txt', { format: 'mov' });
    await clip('avi.mp4', { format: 'avi', codec: 'mpeg4' });
    const vectors = [];
    for (const name of ['good.mp4', 'quicktime.txt', 'avi.mp4'])
      vectors.push(Float32Array.from((await generate(`/uploads/${name}`)).body.data.embeddingVector));
    assert.ok(cosine(vectors[0]!, vectors[1]!) > 0.97);
    assert.ok(cosine(vectors[0]!, vectors[2]!) > 0.95);
  });

  test('what is missing is told in the order and the words of the contract', async () => {
    assert.deepEqual((await generate(undefined)).body, {
      status: 400,
      message: 'Video URL is required',
      code: 'VIDEO_URL_REQUIRED',
    });
    assert.deepEqual((await generate('/uploads/good.mp4', null)).body, {
      status: 400,
      message: 'Submission ID is required',
      code: 'SUBMISSION_ID_REQUIRED',
    });
    assert.equal((await generate(7)).body.code, 'INVALID_FIELD');
  });

  test('a file that is not there is told by the name that was sent', async () => {
    assert.deepEqual((await generate('/uploads/identity/201/none.mp4')).body, {
      status: 404,
      message: 'Video file not found: /uploads/identity/201/none.mp4',
      code: 'VIDEO_FILE_NOT_FOUND',
    });
    assert.equal((await generate('/uploads/identity')).body.code, 'VIDEO_FILE_NOT_FOUND');
  });

  test('nothing leads out of the uploads folder', async () => {
    const secret = join(server.folder, 'secret.mp4');
    await copyFile(file('good.mp4'), secret);
    await symlink(secret, file('link.mp4'));
    await symlink(server.folder, file('folder'));
    for (const url of [
      '/uploads/../secret.mp4',
      '/uploads/identity/../../secret.mp4',
      '../secret.mp4',
      secret,
      '/etc/passwd',
      '/uploads/link.mp4',
      '/uploads/folder/secret.mp4',
      'file:///etc/passwd',
      'concat:/etc/passwd',
      'data:video/mp4;base64,AAAA',
      '/uploads/a\0.mp4',
    ])
      assert.equal((await generate(url)).body.code, 'INVALID_VIDEO_URL', url);
    assert.equal((await generate(file('good.mp4'))).status, 200);
  });

  test('a video without a face, of two people, or too poor is refused with the reason', async () => {
    assert.deepEqual((await generate('/uploads/empty.mp4')).body, {
      status: 400,
      message: 'No face detected in video. Please record video with clear face visibility.',
      code: 'NO_FACE_DETECTED',
    });
    assert.equal((await generate('/uploads/two.mp4')).body.code, 'MULTIPLE_FACES');
    const { body } = await generate('/uploads/blurred.mp4');
    assert.equal(body.code, 'LOW_QUALITY_FACE');
    assert.match(
      body.message,
      /^Face quality too low \(score: 0\.[0-4]\d\)\. Please record in better lighting and ensure face is clearly visible\.$/,
    );
  });

  test('a damaged video and a file that is none are told apart from one that is not there', async () => {
    const whole = await readFile(file('good.mp4'));
    await writeFile(file('broken.mp4'), Buffer.concat([whole.subarray(0, 64), Buffer.alloc(5000, 7)]));
    await writeFile(file('text.mp4'), 'hello');
    assert.deepEqual((await generate('/uploads/broken.mp4')).body, {
      status: 500,
      message: 'Failed to process video: Corrupted video file',
      code: 'VIDEO_PROCESSING_FAILED',
    });
    assert.equal((await generate('/uploads/text.mp4')).body.code, 'VIDEO_PROCESSING_FAILED');
  });

  async function withWebServer(handle: RequestListener, body: (url: string) => Promise<void>) {
    const web = createServer(handle);
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    try {
      await body(`http://127.0.0.1:${(web.address() as AddressInfo).port}`);
    } finally {
      web.closeAllConnections();
      web.close();
    }
  }

  test('private addresses are not asked, neither by number nor by name', async () => {
    let asked = 0;
    const count: RequestListener = (_, res) => {
      asked++;
      res.end();
    };
    await withWebServer(count, async (url) => {
      const { port } = new URL(url);
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0'])
        assert.equal((await generate(`http://${host}:${port}/a.mp4`)).body.code, 'INVALID_VIDEO_URL', host);
    });
    assert.equal(asked, 0);
  });

  test('with private addresses allowed a video is fetched, and what the web server says is passed on', async () => {
    const open = await bed.serve({ ALLOW_PRIVATE_URLS: true });
    const video = await readFile(file('good.mp4'));
    const ask = async (url: string) =>
      (await open.ask('/api/v1/embeddings/generate', { videoUrl: url, submissionId: 1 })).body;
    await withWebServer(
      (req, res) => {
        if (req.url === '/a.mp4') res.end(video);
        else if (req.url === '/moved') res.writeHead(302, { Location: '/a.mp4' }).end();
        else if (req.url === '/loop') res.writeHead(302, { Location: '/loop' }).end();
        else if (req.url === '/file') res.writeHead(302, { Location: 'file:///etc/passwd' }).end();
        else res.writeHead(404).end();
      },
      async (url) => {
        assert.equal((await ask(`${url}/a.mp4`)).status, 200);
        assert.equal((await ask(`${url}/moved`)).status, 200);
        assert.equal((await ask(`${url}/loop`)).code, 'VIDEO_PROCESSING_FAILED');
        assert.equal((await ask(`${url}/file`)).code, 'INVALID_VIDEO_URL');
        const missing = await ask(`${url.replace('//', '//user:hunter2@')}/none.mp4?token=hunter2`);
        assert.equal(missing.code, 'VIDEO_FILE_NOT_FOUND');
        assert.doesNotMatch(missing.message, /hunter2/);
      },
    );
    assert.deepEqual(await readdir(join(open.folder, 'tmp')), []);
    await open.stop();
  });

  test('a redirect to a private address is refused, also from an allowed host', async () => {
    await withWebServer(
      (_, res) => res.writeHead(302, { Location: 'http://169.254.169.254/latest' }).end(),
      async (url) => {
        const named = await bed.serve({ ALLOWED_URL_HOSTS: ['127.0.0.1'] });
        const { body } = await named.ask('/api/v1/embeddings/generate', {
          videoUrl: `${url}/a.mp4`,
          submissionId: 1,
        });
        assert.equal(body.code, 'INVALID_VIDEO_URL');
        await named.stop();
      },
    );
  });

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
    assert.equal((await generate('/uploads/stage.mp4')).status, 200);
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
