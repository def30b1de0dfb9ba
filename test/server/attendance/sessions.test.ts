import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import type { CameraFeed } from '../../../server/attendance/camera-feed.ts';
import { createSessions, type Sessions, type SessionsOptions } from '../../../server/attendance/sessions.ts';
import type { VideoFrame } from '../../../server/attendance/video-frame.ts';
import type { AnalyseResult, SessionRequest } from '../../../workers/protocol.ts';
import { type OpenedOutbox, openTestOutbox } from '../../support/attendance.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { randomUnitVector, seededRandom } from '../../support/vectors.ts';

let databases: TestDatabase;
let backend: Backend;
let outbox: OpenedOutbox;
let feeds: FakeFeed[];

before(async () => {
  databases = await openTestDatabase();
});
after(() => databases.close());
beforeEach(async () => {
  await databases.reset();
  backend = await startBackend();
  outbox = await openTestOutbox(databases.database);
  feeds = [];
});
afterEach(async () => {
  await outbox.close();
  await backend.close();
});

/** A camera whose frames the test sends. */
class FakeFeed implements CameraFeed {
  readonly #onFrame: (frame: VideoFrame) => Promise<void>;
  readonly #first = Promise.withResolvers<void>();
  readonly connected = this.#first.promise;
  closed = false;

  constructor(onFrame: (frame: VideoFrame) => Promise<void>) {
    this.#onFrame = onFrame;
  }

  get status() {
    return { active: !this.closed, frameRate: 25, lastFrameAt: null, trouble: null };
  }

  frame(): Promise<void> {
    this.#first.resolve();
    return this.#onFrame({ width: 2, height: 2, bytes: new Uint8Array(6), capturedAt: new Date() });
  }

  fail(): void {
    this.#first.reject(new Error('Connection timeout'));
  }

  async close() {
    this.closed = true;
  }
}

/** Every frame shows the first student. */
const oneFace = {
  kind: 'analysed',
  width: 2,
  height: 2,
  faces: [
    {
      box: { x: 0.4, y: 0, width: 100, height: 120 },
      landmarks: [],
      score: 1,
      quality: { overall: 0.9, size: 1, clarity: 1, lighting: 1, angle: 1 },
      embedding: null,
      match: { person: 0, similarity: 0.93, secondPerson: null, secondSimilarity: null },
    },
  ],
} as unknown as AnalyseResult;

function open(changes: Partial<SessionsOptions> = {}): Sessions {
  return createSessions({
    openCamera: ({ onFrame }) => {
      const feed = new FakeFeed(onFrame);
      feeds.push(feed);
      return feed;
    },
    look: async () => oneFace,
    outbox,
    mode: 'every',
    minFacePx: 24,
    minQuality: 0.25,
    maxSessions: 3,
    maxHours: 12,
    metrics: outbox.metrics,
    log: pino({ level: 'silent' }),
    ...changes,
  });
}

const request = (slotId: number, cameras = 1): SessionRequest => ({
  slotId,
  roomId: 1,
  students: [{ userId: 5, fullName: 'a', rollNumber: 'b', embeddingVersion: 1 }],
  cameras: Array.from({ length: cameras }, (_, id) => ({ id, name: `camera ${id}`, rtspUrl: 'rtsp://a' })),
  config: {
    similarityThreshold: 0.85,
    scanIntervalS: 5,
    callbackUrl: backend.url,
    minMargin: 0,
    minSightings: 1,
  },
  warnings: [],
  embeddings: randomUnitVector(seededRandom(1)),
  usable: Int32Array.of(0),
});

async function untilFeeds(count: number): Promise<void> {
  while (feeds.length < count) await new Promise((resolve) => setImmediate(resolve));
}

async function started(sessions: Sessions, slotId: number) {
  const starting = sessions.start(request(slotId));
  await untilFeeds(feeds.length + 1);
  await feeds.at(-1)!.frame();
  return starting;
}

test('the frame that proved the camera is looked at as well', async () => {
  const sessions = open();
  await started(sessions, 1);
  await backend.until(() => backend.accepted.length === 1);
  assert.equal(backend.accepted[0]!.recognitions[0]!.userId, 5);
  await sessions.close();
});

test('a slot counts as taken while its cameras are being tried', async () => {
  const sessions = open();
  const first = sessions.start(request(1));
  await assert.rejects(sessions.start(request(1)), { code: 'SESSION_ALREADY_EXISTS' });
  await untilFeeds(1);
  await feeds[0]!.frame();
  await first;
  await sessions.close();
});

test('a start that fails gives the slot back and closes its cameras', async () => {
  const sessions = open({ maxSessions: 1 });
  const failing = sessions.start(request(1, 2));
  await untilFeeds(2);
  for (const feed of feeds) feed.fail();
  await assert.rejects(failing, { code: 'ALL_CAMERAS_FAILED' });
  assert.ok(feeds.every((feed) => feed.closed));
  await started(sessions, 1);
  await sessions.close();
});

test('a session that is stopped while it starts, starts and stops', async () => {
  const sessions = open();
  const starting = sessions.start(request(1));
  const stopping = sessions.stop(1);
  await untilFeeds(1);
  await feeds[0]!.frame();
  await starting;
  assert.equal((await stopping).slotId, 1);
  assert.deepEqual(sessions.list(), []);
});

test('a session ends by itself after its longest time, and its results are sent', async () => {
  const sessions = open({ maxHours: 0.05 / 3600 });
  await started(sessions, 1);
  while (sessions.list().length > 0 || !feeds[0]!.closed)
    await new Promise((resolve) => setTimeout(resolve, 10));
  await sessions.close();
  assert.equal(backend.accepted.length, 1);
  const ended = await outbox.metrics.sessionsEnded.get();
  assert.deepEqual(
    ended.values.map(({ labels, value }) => [labels.reason, value]),
    [['expired', 1]],
  );
});

test('the end of the server ends the sessions, and what the backend has not taken stays for the next start', async () => {
  backend.answer = 'hold';
  const sessions = open();
  await started(sessions, 1);
  await backend.until(() => backend.requests.length === 1);
  await sessions.close();
  await assert.rejects(sessions.start(request(2)), { code: 'SHUTTING_DOWN' });
  await outbox.close();
  backend.answer = 200;
  outbox = await openTestOutbox(databases.database);
  await backend.until(() => backend.accepted.length === 1);
});

test('a frame that cannot be looked at is counted, and the next one is', async () => {
  let broken = true;
  const sessions = open({
    look: async () => {
      if (broken) throw new Error('no such luck');
      return oneFace;
    },
  });
  const session = await started(sessions, 1);
  await feeds[0]!.frame();
  broken = false;
  await feeds[0]!.frame();
  assert.equal(session.counts.droppedScans, 2);
  assert.equal(session.counts.recognized, 1);
  await sessions.close();
});
