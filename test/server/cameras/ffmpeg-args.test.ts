import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import {
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

test('frames of a camera, key frames alone', () => {
  assert.equal(
    liveFramesArgs(OF_TODAY, camera, 5000, 'key frames').join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+info -debug_ts -protocol_whitelist tcp ' +
      '-codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d -f rtsp -rtsp_transport tcp -allowed_media_types video ' +
      '-timeout 10000000 -probesize 32768 -fpsprobesize 0 -max_ts_probe 0 -threads 1 -max_pixels 36000000 -use_wallclock_as_timestamps 1 ' +
      '-skip_frame nokey -i rtsp://admin:p%40ss@192.168.1.10:554/stream1 -map 0:v:0 ' +
      `-vf select=not(eq(floor(t/5+0.001)\\,floor(prev_selected_t/5+0.001))),${FITTED} ` +
      '-fps_mode passthrough -flush_packets 1 -f yuv4mpegpipe pipe:1',
  );
});

test('frames of a camera, all decoded, for an ffmpeg of 2018 over TLS', () => {
  const secure = parseCameraUrl('rtsps://cam.lan/live');
  assert.equal(
    liveFramesArgs(OF_2018, secure, 500, 'all frames').join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+info -debug_ts -protocol_whitelist tcp,tls ' +
      '-codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d -f rtsp -rtsp_transport tcp -allowed_media_types video ' +
      '-stimeout 10000000 -probesize 32768 -fpsprobesize 0 -max_ts_probe 0 -threads 1 -max_pixels 36000000 -use_wallclock_as_timestamps 1 ' +
      '-i rtsps://cam.lan/live -map 0:v:0 ' +
      `-vf select=not(eq(floor(t/0.5+0.001)\\,floor(prev_selected_t/0.5+0.001))),${FITTED} ` +
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
      '-f mov -threads 0 -max_pixels 36000000 -an -sn -dn -i file:/data/uploads/-i http:x.mp4 -map 0:V:0 -frames:v 240 ' +
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
