/** Videos of the last frames: made, listed, served, deleted. */
import { checkDeviceId } from '../../devices/device-id.ts';
import { isRecordingName, type Recordings } from '../../devices/recordings.ts';
import { invalidField, notFound } from '../../errors.ts';
import type { Message } from '../../live/messages.ts';
import type { BodyReader } from '../body.ts';
import {
  listRecordingsDescription,
  RecordingPath,
  recordDescription,
  removeRecordingDescription,
  serveRecordingDescription,
  Wish,
} from '../descriptions/recordings.ts';
import { readFields } from '../read-fields.ts';
import { readPath, readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { sendFile } from '../send-file.ts';
import { validate } from '../validate.ts';

export interface RecordingDependencies {
  readonly recordings: Recordings;
  readonly bodies: BodyReader;
  readonly publish: (message: Message) => void;
}

export function recordingRoutes({ recordings, bodies, publish }: RecordingDependencies): Route[] {
  async function record(ctx: Context): Promise<void> {
    const deviceId = await wantedDevice(ctx);
    const made = await recordings.record(deviceId);
    if (made === null) {
      const whose = deviceId === null ? '' : ` of ${deviceId}`;
      ctx.body = { success: false, message: `There is no frame${whose} of the last 30 seconds to record` };
      return;
    }
    const { frameCount } = made;
    const [recordingId, videoUrl] = [idOf(made.name), urlOf(made.name)];
    publish({ type: 'recording', recordingId, deviceId, frameCount, videoUrl, timestamp: Date.now() });
    ctx.body = { success: true, data: { recordingId, frameCount, videoUrl } };
  }

  async function wantedDevice(ctx: Context): Promise<string | null> {
    const hasBody = ctx.req.headers['transfer-encoding'] !== undefined || (ctx.request.length ?? 0) > 0;
    const body = hasBody ? validate(Wish, await readFields(ctx, bodies, Wish)) : {};
    const deviceId = body.deviceId ?? readQuery(ctx, Wish).deviceId;
    return deviceId === undefined || deviceId === '' ? null : checkDeviceId(deviceId);
  }

  function list(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    const data = recordings.list().map(({ name, createdAt, sizeBytes }) => ({
      id: idOf(name),
      name,
      url: urlOf(name),
      createdAt: createdAt.toISOString(),
      size: sizeBytes,
      type: 'video',
    }));
    ctx.body = { success: true, data };
  }

  async function remove(ctx: Context): Promise<void> {
    const { filename: name } = readPath(ctx, RecordingPath);
    if (!isRecordingName(name)) throw invalidField('filename', 'the plain name of an .mp4', name);
    if (!(await recordings.remove(name))) throw notFound(`the recording ${name}`);
    ctx.body = { success: true, message: `${name} is deleted` };
  }

  async function serve(ctx: Context): Promise<void> {
    const { filename: name } = readPath(ctx, RecordingPath);
    const file = await recordings.open(name);
    if (file === null) throw notFound('the recording');
    await sendFile(ctx, { ...file, type: 'video/mp4' });
  }

  return [
    {
      method: 'POST',
      path: '/api/v1/stream/record',
      access: 'key',
      description: recordDescription,
      handle: record,
    },
    {
      method: 'GET',
      path: '/api/v1/stream/recordings',
      access: 'read',
      frequent: true,
      description: listRecordingsDescription,
      handle: list,
    },
    {
      method: 'DELETE',
      path: '/api/v1/stream/recordings/:filename',
      access: 'key',
      description: removeRecordingDescription,
      handle: remove,
    },
    {
      method: 'GET',
      path: '/recordings/:filename',
      access: 'read',
      frequent: true,
      description: serveRecordingDescription,
      handle: serve,
    },
  ];
}

const idOf = (name: string) => name.slice(0, -'.mp4'.length);
const urlOf = (name: string) => `/recordings/${name}`;
