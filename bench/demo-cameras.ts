/** Saved cameras of the demo site: two that work, one of them in HEVC, and one whose password is wrong. */
import { join } from 'node:path';
import sharp from 'sharp';
import { makeH264Clip } from '../test/support/h264-clip.ts';
import { RtspServer } from '../test/support/rtsp-server.ts';
import { samplePath } from '../test/support/samples.ts';
import type { Region } from './demo-cast.ts';
import type { OwnServer } from './own-server.ts';

interface CameraScene {
  readonly name: string;
  readonly sample: number;
  /** What it sees of the sample photo; 16 to 9. */
  readonly view: Region;
  readonly codec: 'h264' | 'hevc';
  /** That the server is told. */
  readonly password: string;
}

export interface DemoCameras {
  /** Of one that works, to be tried in the form. */
  readonly url: string;
  close(): Promise<void>;
}

const SIZE = { width: 1280, height: 720 };
const PASSWORD = 'gate-2041';
const ENTRANCE = { left: 120, top: 130, width: 1760, height: 990 };
const STAIRS = { left: 300, top: 20, width: 1600, height: 900 };
const SCENES: readonly CameraScene[] = [
  { name: 'Entrance', sample: 6, view: ENTRANCE, codec: 'h264', password: PASSWORD },
  { name: 'Back stairs', sample: 5, view: STAIRS, codec: 'hevc', password: PASSWORD },
  { name: 'Car park', sample: 4, view: ENTRANCE, codec: 'h264', password: 'admin' },
];

export async function setUpCameras(
  server: OwnServer,
  post: (path: string, body: object) => Promise<void>,
  ffmpegPath: string,
): Promise<DemoCameras> {
  const access = { scheme: 'Basic', user: 'admin', password: PASSWORD } as const;
  const cameras: RtspServer[] = [];
  for (const { name, sample, view, codec, password } of SCENES) {
    const file = join(server.folder, `${name}.png`);
    await sharp(samplePath(sample)).extract(view).resize(SIZE.width, SIZE.height).png().toFile(file);
    const clip = await makeH264Clip(ffmpegPath, { file, ...SIZE, codec, framesPerSecond: 10, durationS: 4 });
    const camera = await RtspServer.start({ clip, access });
    cameras.push(camera);
    await post('/api/v1/cameras', { name, rtspUrl: camera.url(`admin:${password}`) });
  }
  const url = cameras[0]!.url(`admin:${PASSWORD}`);
  return {
    url,
    async close() {
      for (const camera of cameras) await camera.close();
    },
  };
}
