import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import type { FfmpegDialect } from '../../../server/cameras/ffmpeg-args.ts';
import { h264PreviewArgs, mjpegPreviewArgs } from '../../../server/cameras/preview-args.ts';

const DIALECT: FfmpegDialect = {
  socketTimeoutOption: '-timeout',
  passthrough: ['-fps_mode', 'passthrough'],
};
const address = parseCameraUrl('rtsp://admin:p@ss@192.168.1.10:554/stream1');
const target = { port: 40123, rtcpPort: 40321, ssrc: 2222, payloadType: 96 };

test('a copied stream becomes H.264 without B-frames, a key frame each second, as RTP to this machine', () => {
  assert.equal(
    h264PreviewArgs(DIALECT, { kind: 'copy' }, target).join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+warning -copyts -protocol_whitelist pipe -codec_whitelist h264,hevc -f mpegts ' +
      '-probesize 32768 -analyzeduration 1 -fpsprobesize 0 -fflags nobuffer -flags low_delay -threads 1 -max_pixels 36000000 -i pipe:0 ' +
      '-map 0:v:0 -an -vf scale=w=trunc(min(iw\\,1280)/2)*2:h=-2,format=yuv420p -fps_mode passthrough ' +
      '-c:v libx264 -preset ultrafast -tune zerolatency -profile:v baseline -bf 0 -crf 27 -maxrate 4M -bufsize 2M ' +
      '-force_key_frames expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+1)) ' +
      '-ssrc 2222 -payload_type 96 -f rtp rtp://127.0.0.1:40123?rtcpport=40321&pkt_size=1200',
  );
});

test('a camera that sends what cannot be copied is pulled again, by the rules of every camera', () => {
  assert.match(
    h264PreviewArgs(DIALECT, { kind: 'camera', address }, target).join(' '),
    /^-hide_banner -nostdin -nostats -loglevel level\+warning -copyts -protocol_whitelist tcp -codec_whitelist h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d -f rtsp .* -use_wallclock_as_timestamps 1 -i rtsp:\/\/admin:p%40ss@192\.168\.1\.10:554\/stream1 -map 0:v:0 /,
  );
});

test('a copied stream becomes JPEG pictures, ten a second', () => {
  assert.equal(
    mjpegPreviewArgs(DIALECT, { kind: 'copy' }).join(' '),
    '-hide_banner -nostdin -nostats -loglevel level+warning -copyts -protocol_whitelist pipe -codec_whitelist h264,hevc -f mpegts ' +
      '-probesize 32768 -analyzeduration 1 -fpsprobesize 0 -fflags nobuffer -flags low_delay -threads 1 -max_pixels 36000000 -i pipe:0 ' +
      '-map 0:v:0 -an -vf select=isnan(prev_selected_t)+gte(abs(t-prev_selected_t)\\,0.08),scale=w=trunc(min(iw\\,1280)/2)*2:h=-2,format=yuvj420p ' +
      '-fps_mode passthrough -c:v mjpeg -q:v 6 -flush_packets 1 -f mjpeg pipe:1',
  );
});
