import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import {
  type Copies,
  type FfmpegDialect,
  firstFramesArgs,
  liveFramesArgs,
  videoFramesArgs,
} from '../../../server/cameras/ffmpeg-args.ts';

const OF_2018: FfmpegDialect = { socketTimeoutOption: '-stimeout', passthrough: ['-vsync', '0'] };
const OF_TODAY: FfmpegDialect = {
  socketTimeoutOption: '-timeout',
  passthrough: ['-fps_mode', 'passthrough'],
};
const camera = parseCameraUrl('rtsp://admin:p@ss@192.168.1.10:554/stream1');

const FITTED =
  'scale=w=trunc(iw*min(1\\,3840/max(iw\\,ih))/2)*2:h=trunc(ih*min(1\\,3840/max(iw\\,ih))/2)*2:out_color_matrix=bt601:out_range=tv,format=yuv420p';

const KEY_FRAMES_EACH_5_S =
  '-hide_banner -nostdin -nostats -loglevel level+info -debug_ts -copyts -protocol_whitelist tcp ' +
  '-codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d -f rtsp -rtsp_transport tcp -allowed_media_types video ' +
  '-timeout 10000000 -probesize 32768 -fpsprobesize 0 -max_ts_probe 0 -threads 1 -max_pixels 36000000 -use_wallclock_as_timestamps 1 ' +
  '-skip_frame nokey -i rtsp://admin:p%40ss@192.168.1.10:554/stream1 -map 0:v:0 ' +
  '-vf select=isnan(prev_selected_t)+gte(abs(t-prev_selected_t)\\,4.85)+' +
  `gte(abs(t-prev_selected_t)\\,2.5)*not(eq(floor(t/5)\\,floor(prev_selected_t/5))),${FITTED} ` +
  '-fps_mode passthrough -flush_packets 1 -f yuv4mpegpipe pipe:1';

test('frames of a camera, key frames alone', () => {
  assert.equal(liveFramesArgs(OF_TODAY, camera, 5000, 'key frames').join(' '), KEY_FRAMES_EACH_5_S);
});

test('the coded stream goes out untouched beside the frames: as RTP, and as MPEG-TS', () => {
  const rtp = { port: 40123, rtcpPort: 40321, ssrc: 2222, payloadType: 96 };
  const copy = '-map 0:v:0 -c:v copy -bsf:v dump_extra';
  const asRtp = `${copy} -ssrc 2222 -payload_type 96 -f rtp rtp://127.0.0.1:40123?rtcpport=40321&pkt_size=1200`;
  const asTs = `${copy} -flush_packets 1 -f mpegts pipe:3`;
  const args = (copies: Copies) => liveFramesArgs(OF_TODAY, camera, 5000, 'key frames', copies).join(' ');
  assert.equal(args({ rtp, pipe: true }), `${KEY_FRAMES_EACH_5_S} ${asRtp} ${asTs}`);
  assert.equal(args({ rtp, pipe: false }), `${KEY_FRAMES_EACH_5_S} ${asRtp}`);
  assert.equal(args({ rtp: null, pipe: true }), `${KEY_FRAMES_EACH_5_S} ${asTs}`);
});

test('frames of a camera, all decoded, for an ffmpeg of 2018 over TLS', () => {
  const secure = parseCameraUrl('rtsps://cam.lan/live');
  assert.equal(
    liveFramesArgs(OF_2018, secure, 500, 'all frames').join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+info -debug_ts -copyts -protocol_whitelist tcp,tls ' +
      '-codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d -f rtsp -rtsp_transport tcp -allowed_media_types video ' +
      '-stimeout 10000000 -probesize 32768 -fpsprobesize 0 -max_ts_probe 0 -threads 1 -max_pixels 36000000 -use_wallclock_as_timestamps 1 ' +
      '-i rtsps://cam.lan/live -map 0:v:0 ' +
      `-vf select=isnan(prev_selected_t)+gte(abs(t-prev_selected_t)\\,0.48),${FITTED} ` +
      '-vsync 0 -flush_packets 1 -f yuv4mpegpipe pipe:1',
  );
});

test('the first frames of a camera, at their full size and with its own times', () => {
  assert.equal(
    firstFramesArgs(OF_TODAY, camera, 10).join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+info -debug_ts -protocol_whitelist tcp ' +
      '-codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d -f rtsp -rtsp_transport tcp -allowed_media_types video ' +
      '-timeout 10000000 -probesize 32768 -fpsprobesize 0 -max_ts_probe 0 -threads 1 -max_pixels 36000000 ' +
      '-i rtsp://admin:p%40ss@192.168.1.10:554/stream1 -map 0:v:0 -frames:v 10 ' +
      '-vf scale=w=trunc(iw/2)*2:h=trunc(ih/2)*2:out_color_matrix=bt601:out_range=tv,format=yuv420p ' +
      '-fps_mode passthrough -flush_packets 1 -f yuv4mpegpipe pipe:1',
  );
});

test('the frames of a video file, two a second', () => {
  const args = videoFramesArgs(OF_TODAY, {
    path: '/data/uploads/-i http:x.mp4',
    container: 'mov',
    everyMs: 500,
    maxFrames: 240,
  });
  assert.equal(args[args.indexOf('-i') + 1], 'file:/data/uploads/-i http:x.mp4');
  assert.equal(
    args.join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+info -protocol_whitelist file ' +
      '-codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d,libaom-av1,h263,mpeg1video,mpeg2video,msmpeg4v3,prores,rawvideo ' +
      '-f mov -threads 0 -max_pixels 36000000 -skip_frame noref -an -sn -dn -i file:/data/uploads/-i http:x.mp4 -map 0:V:0 -frames:v 240 ' +
      `-vf select=not(eq(floor(t/0.5+0.001)\\,floor(prev_selected_t/0.5+0.001))),${FITTED} ` +
      '-fps_mode passthrough -flush_packets 1 -f yuv4mpegpipe pipe:1',
  );
});

test('a video file is named by an absolute path', () => {
  for (const path of ['a.mp4', '-i', 'http://host/a.mp4', ''])
    assert.throws(
      () => videoFramesArgs(OF_TODAY, { path, container: 'mov', everyMs: 500, maxFrames: 1 }),
      /absolute path/,
    );
});
