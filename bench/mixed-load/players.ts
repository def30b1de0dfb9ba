/** Those who use a server, all at the same time: boards, sensors, people with photos, administrators, viewers. */
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { WebSocket } from 'ws';
import { samplePath } from '../../test/support/samples.ts';
import { type Ledger, READINGS_PER_ID } from './ledger.ts';
import { LOAD_KEY, type ServerProcess } from './server-process.ts';

export interface Players {
  /** Messages that those who read have got. */
  readonly messages: () => number;
  stop(): Promise<void>;
}

const BOARDS = 8;
const FRAMES_PER_S = 2;
const SENSORS = 6;
const READING_EVERY_MS = 250;
const WIDTH = 320;
const HEIGHT = 240;
const VIEWERS = 5;
const SILENT_VIEWERS = 2;
/** After an answer that tells to wait, or none. */
const TROUBLE_PAUSE_MS = 500;

export async function startPlayers(server: ServerProcess, ledger: Ledger): Promise<Players> {
  const ending = new AbortController();
  const { signal } = ending;
  const [frame, photo] = [await rawFrame(), await sharp(samplePath(3)).resize(1280).jpeg().toBuffer()];
  let messages = 0;
  const tasks: Promise<void>[] = [];

  /** One after another until the end, at a pace; a broken connection is a pause, not an end. */
  function play(everyMs: number, act: (turn: number) => Promise<boolean>): void {
    const loop = async () => {
      for (let turn = 0; !signal.aborted; turn++) {
        const startedMs = performance.now();
        const went = await act(turn).catch(() => false);
        const restMs = everyMs - (performance.now() - startedMs);
        await pause(went ? Math.max(0, restMs) : TROUBLE_PAUSE_MS, undefined, { signal }).catch(() => {});
      }
    };
    tasks.push(loop());
  }

  for (let board = 0; board <= BOARDS; board++) {
    // The last one sends as fast as it can.
    const everyMs = board === BOARDS ? 0 : 1000 / FRAMES_PER_S;
    play(everyMs, async () => {
      const answer = await send(server, '/api/v1/stream/stream', frame, {
        'Content-Type': 'application/octet-stream',
        'X-Device-Id': `board-${board}`,
        'X-Frame-Width': String(WIDTH),
        'X-Frame-Height': String(HEIGHT),
        'X-Frame-Format': 'RGB565',
      });
      ledger.note('frame', answer?.status ?? null);
      if (answer?.status === 200) ledger.frames.push((answer.body as { filename: string }).filename);
      return answer?.status === 200;
    });
  }
  for (let sensor = 0; sensor < SENSORS; sensor++) {
    play(READING_EVERY_MS, async (turn) => {
      const deviceId = `sensor-${sensor}-${Math.floor(turn / READINGS_PER_ID)}`;
      const body = JSON.stringify({ deviceId, timestamp: turn, celsius: 20 + (turn % 7) });
      const answer = await send(server, '/api/v1/ingest/sensor-data', body, {
        'Content-Type': 'application/json',
      });
      ledger.note('reading', answer?.status ?? null);
      if (answer?.status === 200)
        ledger.readings.set(deviceId, [...(ledger.readings.get(deviceId) ?? []), turn]);
      return answer?.status === 200;
    });
  }
  play(1000, async () => {
    const answer = await send(server, '/api/v1/recognize', form({}, photo));
    ledger.note('recognition of a picture', answer?.status ?? null);
    return answer?.status === 200;
  });
  play(2000, async (turn) => {
    const name = `Person ${turn}`;
    // Another quality each time: the same bytes under another name would be a conflict.
    const face = await sharp(samplePath(1))
      .extract({ left: 1380, top: 100, width: 400, height: 440 })
      .jpeg({ quality: 60 + (turn % 40) })
      .withExif({ IFD0: { ImageDescription: name } })
      .toBuffer();
    const answer = await send(server, '/api/v1/recognition/add-permitted-face', form({ name }, face));
    ledger.note('enrolment', answer?.status ?? null);
    if (answer?.status === 200) ledger.enrolled.add(name);
    if (turn % 3 === 2 && ledger.enrolled.has(name)) {
      const gone = await server
        .call(`/api/v1/recognition/permitted-faces/${encodeURIComponent(name)}`, { method: 'DELETE' })
        .catch(() => null);
      ledger.note('removal', gone?.status ?? null);
      // Without an answer it may be there or not.
      ledger.enrolled.delete(name);
      if (gone?.status === 200) ledger.removed.add(name);
    }
    return answer?.status === 200;
  });
  for (let viewer = 0; viewer < VIEWERS; viewer++) tasks.push(watch(server, signal, () => messages++));
  for (let viewer = 0; viewer < SILENT_VIEWERS; viewer++) tasks.push(watch(server, signal, null));

  return {
    messages: () => messages,
    async stop() {
      ending.abort();
      await Promise.all(tasks);
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Null where the connection broke. */
async function send(
  server: ServerProcess,
  path: string,
  body: BodyInit | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer | null> {
  try {
    const answer = await server.call(path, { method: 'POST', body: body as BodyInit, headers });
    return { status: answer.status, body: await answer.json() };
  } catch {
    return null;
  }
}

/** Comes back whenever it was let go. @param onMessage null for one that never reads */
async function watch(
  server: ServerProcess,
  signal: AbortSignal,
  onMessage: (() => void) | null,
): Promise<void> {
  while (!signal.aborted) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`, {
      headers: { 'X-API-Key': LOAD_KEY },
    });
    socket.on('error', () => {});
    socket.on('open', () => onMessage === null && socket.pause());
    if (onMessage !== null) socket.on('message', onMessage);
    const end = () => socket.terminate();
    signal.addEventListener('abort', end);
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    signal.removeEventListener('abort', end);
    await pause(TROUBLE_PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

function form(fields: Readonly<Record<string, string>>, picture: Uint8Array): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  made.set('image', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'photo.jpg');
  return made;
}

/** RGB565, high byte first, with a face in it. */
async function rawFrame(): Promise<Buffer> {
  const { data } = await sharp(samplePath(1))
    .extract({ left: 110, top: 210, width: 640, height: 480 })
    .resize(WIDTH, HEIGHT)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const frame = Buffer.alloc(2 * WIDTH * HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const [red, green, blue] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    frame.writeUInt16BE(((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3), 2 * i);
  }
  return frame;
}
