import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FfmpegLog, type LogEvent } from '../../../server/cameras/ffmpeg-log.ts';

const SECRETS = { secretUrl: 'rtsp://u:s3cret@10.0.0.1/s', redactedUrl: 'rtsp://***@10.0.0.1/s' };

function read(text: string, chunkLength = text.length) {
  const events: LogEvent[] = [];
  const log = new FfmpegLog((event) => events.push(event), SECRETS);
  for (let at = 0; at < text.length; at += chunkLength) log.push(text.slice(at, at + chunkLength));
  log.end();
  return { events, complaints: log.complaints };
}

test('packets, decoded frames, damage and the stream are read from the lines of ffmpeg 4, 5 and 7', () => {
  const text = [
    '[info]     Stream #0:0: Video: h264 (High), yuv420p(progressive), 1280x720 [SAR 1:1 DAR 16:9], 25 fps, 25 tbr, 90k tbn, 50 tbc',
    '[info] demuxer -> ist_index:0 type:video next_dts:NOPTS pkt_pts:161566682376464',
    '[info] demuxer+ffmpeg -> ist_index:0 type:video pkt_pts:0 pkt_pts_time:0',
    '[info] decoder -> ist_index:0 type:video frame_pts:0 best_effort_ts:3600 best_effort_ts_time:0.04 keyframe:1 frame_type:1',
    '[vist#0:0/h264 @ 0xf892e80] [dec:h264 @ 0xf8a4d80] [info] decoder -> pts:7200 pts_time:0.08 keyframe:0 frame_type:2',
    '[warning] rtsp://u:s3cret@10.0.0.1/s: corrupt decoded frame in stream 0',
    '[info]   Stream #0:0: Video: wrapped_avframe, yuv420p, 1280x720, q=2-31, 200 kb/s, 25 fps, 25 tbn',
    '',
  ].join('\n');
  for (const chunkLength of [text.length, 7])
    assert.deepEqual(read(text, chunkLength).events, [
      { kind: 'stream', codec: 'h264', declaredFrameRate: 25 },
      { kind: 'packet' },
      { kind: 'decoded', isKeyFrame: true, timeS: 0.04 },
      { kind: 'decoded', isKeyFrame: false, timeS: 0.08 },
      { kind: 'damaged' },
    ]);
});

test('complaints are kept without credentials or addresses of memory', () => {
  const { complaints } = read(
    '[rtsp @ 0x5f] [error] method DESCRIBE failed: 401 Unauthorized\n' +
      '[error] rtsp://u:s3cret@10.0.0.1/s: Invalid data\n[error] other://x:y@host/: Server returned 403',
  );
  assert.deepEqual(complaints, [
    '[rtsp] [error] method DESCRIBE failed: 401 Unauthorized',
    '[error] rtsp://***@10.0.0.1/s: Invalid data',
    '[error] other://***@host/: Server returned 403',
  ]);
});

test('neither many complaints nor a long line take more than their share of memory', () => {
  const { complaints } = read(`${'[error] again\n'.repeat(10_000)}[error] ${'x'.repeat(100_000)}`, 5000);
  assert.equal(complaints.length, 20);
  assert.ok(complaints.every((line) => line.length <= 300));
});
