/** A class that is taken in a room of the demo site: a camera, students, a backend that takes the results. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { startBackend } from '../test/support/backend.ts';
import { makeH264Clip } from '../test/support/h264-clip.ts';
import { RtspServer } from '../test/support/rtsp-server.ts';
import { readSample, samplePath } from '../test/support/samples.ts';
import { BOARDS, PEOPLE } from './demo-cast.ts';
import type { OwnServer } from './own-server.ts';

export async function holdClass(
  server: OwnServer,
  post: (path: string, body: object) => Promise<void>,
  ffmpegPath: string,
): Promise<{ close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-demo-site-'));
  const stills: string[] = [];
  for (const [i, region] of [BOARDS[1]!, BOARDS[0]!].entries()) {
    const path = join(folder, `${i}.png`);
    await sharp(samplePath(region.sample)).extract(region.view).resize(960, 720).png().toFile(path);
    stills.push(path);
  }
  const video = join(folder, 'room.mp4');
  await promisify(execFile)(ffmpegPath, [
    ...['-y', '-nostdin', '-loglevel', 'error'],
    ...stills.flatMap((path) => ['-loop', '1', '-framerate', '10', '-t', '4', '-i', path]),
    ...['-filter_complex', '[0:v][1:v]concat=n=2:v=1,format=yuv420p[out]', '-map', '[out]'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', video],
  ]);
  const clip = await makeH264Clip(ffmpegPath, {
    file: video,
    width: 960,
    height: 720,
    framesPerSecond: 10,
    durationS: 8,
  });
  const camera = await RtspServer.start({ clip });
  const backend = await startBackend();
  const students = [];
  for (const [i, { name, sample, face }] of PEOPLE.slice(0, 4).entries()) {
    const jpeg = await readSample(sample);
    const input = { kind: 'encoded', bytes: new Uint8Array(jpeg) } as const;
    const { faces } = await server.recognizer.analyse({
      input,
      index: null,
      returnEmbeddings: true,
      jpegQuality: null,
    });
    const { embedding } = faces.toSorted((a, b) => a.box.x - b.box.x)[face]!;
    students.push({
      userId: 100 + i,
      fullName: name,
      rollNumber: `S-${2041 + 7 * i}`,
      embeddingVector: [...embedding!],
      embeddingVersion: 1,
    });
  }
  await post('/api/v1/recognition/process-session', {
    slotId: 312,
    roomId: 24,
    students,
    cameras: [
      { id: 1, name: 'Room 24, front', rtspUrl: camera.url() },
      { id: 2, name: 'Room 24, door', rtspUrl: 'rtsp://127.0.0.1:9/stream' },
    ],
    config: { similarityThreshold: 0.85, scanInterval: 2, callbackUrl: `${backend.url}/callback` },
  });
  return {
    async close() {
      await camera.close();
      await backend.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
