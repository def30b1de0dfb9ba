import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { embedderModels } from '../../models/manifest.ts';
import { createSpaceCheck } from '../../workers/embedding-space.ts';
import { type AttendanceBed, openAttendanceBed } from '../support/attendance-bed.ts';
import type { AttendanceServer } from '../support/attendance-server.ts';
import { BLURRED, type FaceClipOptions, NOBODY, PERSON_B } from '../support/clips.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { cosine } from '../support/pipeline.ts';

const { program, reason } = await ffmpegOrReason();

describe('embeddings of face videos over HTTP', { skip: reason, timeout: 180_000 }, () => {
  let bed: AttendanceBed;
  let server: AttendanceServer;
  const file = (name: string) => join(server.uploads, name);
  const clip = (name: string, options: Partial<FaceClipOptions> = {}) => bed.clip(name, options);

  before(async () => {
    bed = await openAttendanceBed(program!);
    server = bed.server;
    await mkdir(join(server.uploads, 'identity', '201'), { recursive: true });
    await clip('good.mp4');
    await clip('empty.mp4', { filter: NOBODY });
    await clip('two.mp4', { followedBy: PERSON_B, durationS: 2 });
    await clip('blurred.mp4', { filter: BLURRED });
    await copyFile(file('good.mp4'), file('identity/201/1729339200_face_video.mp4'));
  });
  after(() => bed.close());

  const generate = (videoUrl: unknown, submissionId: unknown = 1) =>
    server.ask('/api/v1/embeddings/generate', { videoUrl, submissionId });

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
});
