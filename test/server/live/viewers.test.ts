import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pino from 'pino';
import { ServerError } from '../../../server/errors.ts';
import {
  type MediaServer,
  MediaServerMissingError,
  startMediaServer,
} from '../../../server/live/media-server.ts';
import { Preview } from '../../../server/live/preview.ts';
import { createViewers, type ViewersOptions } from '../../../server/live/viewers.ts';
import { childProcesses } from '../../support/ffmpeg.ts';
import { openIceClient } from '../../support/ice-client.ts';
import { mediaWorkerOrReason } from '../../support/media-worker.ts';
import { until } from '../../support/until.ts';

const worker = mediaWorkerOrReason();
const log = pino({ level: 'silent' });
const OPTIONS = {
  workers: 1,
  listening: { addresses: [{ ip: '127.0.0.1', announced: null }], warnings: [] },
  ports: { min: 43_000, max: 43_999 },
  log,
};

describe('viewers', { skip: worker.reason, timeout: 60_000 }, () => {
  let media: MediaServer;
  before(async () => {
    media = await startMediaServer({ ...OPTIONS, workerBin: worker.path });
  });
  after(async () => {
    media.close();
    await until(() => (childProcesses() ?? []).length === 0);
  });

  async function withViewers(
    options: Partial<ViewersOptions>,
    body: (viewers: ReturnType<typeof createViewers>, preview: Preview) => Promise<void>,
  ): Promise<void> {
    const preview = new Preview({
      place: media.place(),
      isPlayable: () => null,
      transcode: () => ({ ended: Promise.resolve(), stop: async () => {} }),
      log,
    });
    const viewers = createViewers({ limit: 2, ...options });
    try {
      await body(viewers, preview);
    } finally {
      viewers.closeAll();
      await preview.close();
    }
  }
  const isCode = (code: string) => (error: unknown) => error instanceof ServerError && error.code === code;

  test('are let in up to the limit, and make room when they go', async () => {
    let refused = 0;
    await withViewers({ onRefused: () => refused++ }, async (viewers, preview) => {
      const first = await viewers.open(preview);
      await viewers.open(preview);
      await assert.rejects(viewers.open(preview), isCode('TOO_MANY_VIEWERS'));
      assert.equal(refused, 1);
      viewers.close(first.viewerId);
      const { iceCandidates } = await viewers.open(preview);
      assert.equal(preview.viewers, 2);
      assert.deepEqual(new Set(iceCandidates.map(({ protocol }) => protocol)), new Set(['udp', 'tcp']));
      assert.ok(iceCandidates.every(({ port }) => port >= 43_000 && port <= 43_999));
    });
  });

  test('one that never connects is dropped', async () => {
    const dropped: string[] = [];
    const options = { connectLimitMs: 50, onDropped: (reason: string) => dropped.push(reason) };
    await withViewers(options, async (viewers, preview) => {
      const { viewerId } = await viewers.open(preview);
      await until(() => viewers.size === 0);
      assert.deepEqual([dropped, preview.viewers], [['never connected'], 0]);
      await assert.rejects(viewers.resume(viewerId), isCode('NOT_FOUND'));
    });
  });

  test('one that goes silent is dropped, one that gives signs stays', async () => {
    const dropped: string[] = [];
    // The media worker takes no less than 10 seconds.
    const options = { silentAfterS: 10, onDropped: (reason: string) => dropped.push(reason) };
    await withViewers(options, async (viewers, preview) => {
      const join = async () => {
        const { viewerId, iceParameters, iceCandidates } = await viewers.open(preview);
        const { ip, port } = iceCandidates.find(({ protocol }) => protocol === 'udp')!;
        const client = openIceClient({ ip, port, ...iceParameters });
        await client.check();
        return { viewerId, client };
      };
      const silent = await join();
      const lively = await join();
      try {
        while (viewers.size === 2) {
          await lively.client.check();
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        assert.deepEqual([dropped, viewers.size, preview.viewers], [['silent'], 1, 1]);
        assert.throws(() => viewers.close(silent.viewerId), isCode('NOT_FOUND'));
        viewers.close(lively.viewerId);
        assert.equal(preview.viewers, 0);
      } finally {
        silent.client.close();
        lively.client.close();
      }
    });
  });

  test('go with their worker, and are told that the camera gives nothing yet', async () => {
    await withViewers({}, async (viewers, preview) => {
      const { viewerId } = await viewers.open(preview);
      await assert.rejects(viewers.consume(viewerId, media.rtpCapabilities), isCode('CAMERA_NOT_READY'));
      process.kill(media.pids[0]!, 'SIGKILL');
      await until(() => viewers.size === 0);
      await viewers.open(preview);
      assert.equal(media.restarts, 1);
    });
  });
});

test('why there is no media server is said in words that help', async () => {
  const why = (workerBin: string | null) =>
    startMediaServer({ ...OPTIONS, workerBin }).then(
      (media) => {
        media.close();
        return 'it started';
      },
      (error: unknown) => {
        assert.ok(error instanceof MediaServerMissingError);
        return error.message;
      },
    );
  assert.match(await why('/nowhere/mediasoup-worker'), /^MEDIASOUP_WORKER_BIN: expected a program, received/);
  assert.match(await why('/bin/true'), /npm run live:install/);
});

test('a range of ports that is full is told with its name', { skip: worker.reason }, async () => {
  const ports = { min: 43_990, max: 43_990 };
  const first = await startMediaServer({ ...OPTIONS, ports, workerBin: worker.path });
  try {
    await assert.rejects(
      startMediaServer({ ...OPTIONS, ports, workerBin: worker.path }),
      /RTC_MIN_PORT 43990/,
    );
  } finally {
    first.close();
  }
  await until(() => (childProcesses() ?? []).length === 0);
});
