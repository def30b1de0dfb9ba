/** What every test of the attendance API stands on: a database, threads, and servers over them, ended together and without a trace. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FfmpegProgram } from '../../server/cameras/ffmpeg-program.ts';
import type { AttendanceSettings } from '../../server/compose-attendance.ts';
import type { Recognizer } from '../../server/recognition/recognizer.ts';
import { type AttendanceServer, startAttendanceServer, startTestRecognizer } from './attendance-server.ts';
import { type FaceClipOptions, makeFaceClip, PERSON_A, PERSON_A_AGAIN, type SampleFace } from './clips.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { childProcesses } from './ffmpeg.ts';
import { type ClipOptions, type H264Clip, makeH264Clip } from './h264-clip.ts';
import { samplePath } from './samples.ts';

export interface AttendanceBed {
  readonly program: FfmpegProgram;
  readonly databases: TestDatabase;
  readonly recognizer: Recognizer;
  /** With the settings that the bed was opened with. */
  readonly server: AttendanceServer;
  /** One more over the same database and threads; it ends with the bed, or before. */
  serve(settings?: Partial<AttendanceSettings>): Promise<AttendanceServer>;
  /** A face video among the uploads of `server`. @returns its `videoUrl` */
  clip(name: string, options?: Partial<Omit<FaceClipOptions, 'path'>>): Promise<string>;
  /** The embedding that `server` makes of a face video of this person. */
  vectorOf(face?: SampleFace): Promise<number[]>;
  /** Also makes sure that no process is left. */
  close(): Promise<void>;
}

export async function openAttendanceBed(
  program: FfmpegProgram,
  settings: Partial<AttendanceSettings> = {},
): Promise<AttendanceBed> {
  const [databases, recognizer] = await Promise.all([openTestDatabase(), startTestRecognizer()]);
  const servers: AttendanceServer[] = [];
  const serve: AttendanceBed['serve'] = async (more = {}) => {
    const server = await startAttendanceServer({ recognizer, database: databases.database, program }, more);
    servers.push(server);
    return server;
  };
  const server = await serve(settings);
  await mkdir(server.uploads);
  const clip: AttendanceBed['clip'] = async (name, options = {}) => {
    await makeFaceClip(program.path, { path: join(server.uploads, name), face: PERSON_A, ...options });
    return `/uploads/${name}`;
  };
  return {
    program,
    databases,
    recognizer,
    server,
    serve,
    clip,
    async vectorOf(face = PERSON_A_AGAIN) {
      const videoUrl = await clip(`${face.sample}-${face.x}.mp4`, { face });
      const { body } = await server.ask('/api/v1/embeddings/generate', { videoUrl, submissionId: 1 });
      assert.equal(body.status, 200, body.message);
      return body.data.embeddingVector;
    },
    async close() {
      for (const each of servers) await each.stop();
      await recognizer.close();
      await databases.close();
      assert.deepEqual(childProcesses() ?? [], []);
    },
  };
}

/** What a camera of a classroom shows: the photo with PERSON_A and two others, again and again; 1280x720, two seconds unless given. */
export const makeRoomClip = (program: FfmpegProgram, options: ClipOptions = {}): Promise<H264Clip> =>
  makeH264Clip(program.path, {
    file: samplePath(PERSON_A.sample),
    width: 1280,
    height: 720,
    durationS: 2,
    ...options,
  });
