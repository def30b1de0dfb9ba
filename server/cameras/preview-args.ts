/** Command lines of the ffmpeg that makes another stream of a camera's, while somebody watches. Pure, as ffmpeg-args.ts. */
import type { CameraAddress } from './camera-address.ts';
import {
  cameraInput,
  type FfmpegDialect,
  MAX_DECODED_PIXELS,
  type RtpTarget,
  rtpOutput,
} from './ffmpeg-args.ts';

/** The copy that the camera's own ffmpeg makes; or the camera again, where it sends what cannot be copied. */
export type PreviewInput =
  | { readonly kind: 'copy' }
  | { readonly kind: 'camera'; readonly address: CameraAddress };

/** Wider pictures are made to fit: a transcoder costs by the pixel. */
const MAX_WIDTH_PX = 1280;
const MJPEG_FRAMES_PER_SECOND = 10;
const KEY_FRAME_EVERY_S = 1;
const QUIET = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+warning'] as const;

/** H.264 that every browser plays (baseline, no B-frames, a key frame each second), as RTP. */
export function h264PreviewArgs(dialect: FfmpegDialect, input: PreviewInput, target: RtpTarget): string[] {
  return [
    ...[...QUIET, '-copyts', ...inputArgs(dialect, input)],
    ...['-map', '0:v:0', '-an', '-vf', `${FITTED},format=yuv420p`, ...dialect.passthrough],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-profile:v',
      'baseline',
      '-bf',
      '0',
    ],
    ...['-crf', '27', '-maxrate', '4M', '-bufsize', '2M'],
    ...['-force_key_frames', `expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+${KEY_FRAME_EVERY_S}))`],
    ...rtpOutput(target),
  ];
}

/** JPEG pictures one after the other on standard output. */
export function mjpegPreviewArgs(dialect: FfmpegDialect, input: PreviewInput): string[] {
  return [
    ...[...QUIET, '-copyts', ...inputArgs(dialect, input)],
    ...['-map', '0:v:0', '-an'],
    ...[
      '-vf',
      `select=isnan(prev_selected_t)+gte(abs(t-prev_selected_t)\\,${1 / MJPEG_FRAMES_PER_SECOND - 0.02}),${FITTED},format=yuvj420p`,
    ],
    ...[...dialect.passthrough, '-c:v', 'mjpeg', '-q:v', '6', '-flush_packets', '1', '-f', 'mjpeg', 'pipe:1'],
  ];
}

const FITTED = `scale=w=trunc(min(iw\\,${MAX_WIDTH_PX})/2)*2:h=-2`;

function inputArgs(dialect: FfmpegDialect, input: PreviewInput): string[] {
  if (input.kind === 'camera')
    return cameraInput(dialect, input.address, ['-use_wallclock_as_timestamps', '1']);
  return [
    ...['-protocol_whitelist', 'pipe', '-codec_whitelist', 'h264,hevc', '-f', 'mpegts'],
    // A picture goes out as soon as it is in: nothing is collected to learn the rate or the duration (0 would stand for 5 s).
    ...[
      '-probesize',
      '32768',
      '-analyzeduration',
      '1',
      '-fpsprobesize',
      '0',
      '-fflags',
      'nobuffer',
      '-flags',
      'low_delay',
    ],
    ...['-threads', '1', '-max_pixels', String(MAX_DECODED_PIXELS), '-i', 'pipe:0'],
  ];
}
