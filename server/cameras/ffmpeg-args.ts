/** Every command line that ffmpeg is started with. Pure: what may stand in one is decided here and nowhere else. */
import type { CameraAddress } from './camera-address.ts';

/** What differs between ffmpeg's versions. */
export interface FfmpegDialect {
  /** Microseconds without traffic until RTSP gives up. Up to 4.x `-timeout` means "listen" instead. */
  readonly socketTimeoutOption: '-timeout' | '-stimeout';
  /** Frames go out as they come: none twice, none left out for an even rate. */
  readonly passthrough: readonly [option: string, value: string];
}

/** `key frames` costs a fraction of `all frames` and is enough where key frames come at least once a scan interval. */
export type Decoding = 'key frames' | 'all frames';

/** Larger pictures are made to fit a square of this side: bounds memory, and no detector looks closer. */
export const MAX_SIDE_PX = 3840;
/** 8K and a little; a decoder refuses what claims more. */
export const MAX_DECODED_PIXELS = 36_000_000;
/** ffmpeg gives a connection up after this long without a byte; a frozen camera is found sooner, by its frames. */
export const SOCKET_TIMEOUT_MS = 10_000;

/** Where somebody on this machine takes in RTP. */
export interface RtpTarget {
  readonly port: number;
  /** Told, because the next port may be somebody else's. */
  readonly rtcpPort: number;
  readonly ssrc: number;
  readonly payloadType: number;
}

/** The coded stream as it came, beside the decoded frames; nearly free, and no output can be added to an ffmpeg that runs. */
export interface Copies {
  /** What WebRTC viewers get without transcoding; null for none. */
  readonly rtp: RtpTarget | null;
  /** MPEG-TS into file descriptor 3, where a transcoder can be fed from that starts later. */
  readonly pipe: boolean;
}

export const NO_COPIES: Copies = { rtp: null, pipe: false };
/** What both copies can carry. */
export const COPIED_CODECS: readonly string[] = ['h264', 'hevc'];
/** Fits the MTU of a WebRTC path with room for its encryption. */
export const RTP_PACKET_BYTES = 1200;

/** From this spacing on, frames that no other frame is built on need not be decoded: enough of the others are left. */
const SPARSE_MS = 200;

const QUIET = ['-hide_banner', '-nostdin', '-nostats'] as const;
/** With the level before each line; -debug_ts adds a line for each packet and each decoded frame: proof of life, frame rate, key frames. */
const LOG = ['-loglevel', 'level+info'] as const;
const CAMERA_CODECS = 'h264,hevc,mjpeg,mpeg4,vp8,vp9,av1,libdav1d';
const FILE_CODECS = `${CAMERA_CODECS},libaom-av1,h263,mpeg1video,mpeg2video,msmpeg4v3,prores,rawvideo`;
/** The one who reads learns size and layout from the stream's own header, and sees at every frame whether it is still in step. */
const TO_PIPE = ['-flush_packets', '1', '-f', 'yuv4mpegpipe', 'pipe:1'] as const;

/** Frames of a camera at the scan interval, and copies of its stream, until it is stopped. */
export function liveFramesArgs(
  dialect: FfmpegDialect,
  address: CameraAddress,
  scanIntervalMs: number,
  decoding: Decoding,
  copies: Copies = NO_COPIES,
): string[] {
  const perScan = decoding === 'key frames' ? keyFramePer(scanIntervalMs) : framePer(scanIntervalMs);
  return [
    // Without -copyts ffmpeg takes a time of today for a fault, and counts frames at a guessed rate instead.
    ...[...QUIET, ...LOG, '-debug_ts', '-copyts'],
    // By the clock of this machine: cameras set theirs back and forth, and a sampler would wait for the old time to come again.
    ...cameraInput(dialect, address, [
      '-use_wallclock_as_timestamps',
      '1',
      // Where a camera has B-frames, this holds a picture back until the next key frame or two: rare, and only late.
      ...(decoding === 'key frames' ? ['-skip_frame', 'nokey'] : []),
    ]),
    ...['-map', '0:v:0', '-vf', `${perScan},${toYuv420p(true)}`],
    ...[...dialect.passthrough, ...TO_PIPE],
    ...(copies.rtp === null ? [] : [...COPY, ...rtpOutput(copies.rtp)]),
    ...(copies.pipe ? [...COPY, '-flush_packets', '1', '-f', 'mpegts', 'pipe:3'] : []),
  ];
}

/** Parameter sets before every key frame: whoever joins later needs them. */
const COPY = ['-map', '0:v:0', '-c:v', 'copy', '-bsf:v', 'dump_extra'] as const;

export const rtpOutput = ({ port, rtcpPort, ssrc, payloadType }: RtpTarget): string[] => [
  ...['-ssrc', String(ssrc), '-payload_type', String(payloadType), '-f', 'rtp'],
  `rtp://127.0.0.1:${port}?rtcpport=${rtcpPort}&pkt_size=${RTP_PACKET_BYTES}`,
];

/** The first frames of a camera, each at its full size, with the camera's own times in the log; for looking at the camera itself. */
export function firstFramesArgs(dialect: FfmpegDialect, address: CameraAddress, frames: number): string[] {
  return [
    ...[...QUIET, ...LOG, '-debug_ts'],
    ...cameraInput(dialect, address, []),
    ...['-map', '0:v:0', '-frames:v', String(frames), '-vf', toYuv420p(false)],
    ...[...dialect.passthrough, ...TO_PIPE],
  ];
}

export interface VideoFramesOptions {
  /** Absolute. */
  readonly path: string;
  /** What the file is by its content: MP4 and MOV are one format. */
  readonly container: 'mov' | 'avi';
  /** The first frame of every such period. */
  readonly everyMs: number;
  /** ffmpeg ends after so many. */
  readonly maxFrames: number;
  /** Of the decoder; 0 takes as many as there are cores. */
  readonly threads?: number;
}

/**
 * Frames of a video file, read once from its start, without seeking: a phone's rotation is applied. Frames that no other builds on are
 * not decoded: measured, that halves the time for H.264 with B-frames, and moves a sample by a frame or two.
 */
export function videoFramesArgs(
  dialect: FfmpegDialect,
  { path, container, everyMs, maxFrames, threads = 0 }: VideoFramesOptions,
): string[] {
  if (!/^(?:\/|[a-z]:[\\/])/i.test(path)) throw new Error('a video is named by an absolute path');
  return [
    ...[...QUIET, ...LOG],
    ...['-protocol_whitelist', 'file', '-codec_whitelist', FILE_CODECS, '-f', container],
    ...['-threads', String(threads), '-max_pixels', String(MAX_DECODED_PIXELS)],
    ...(everyMs >= SPARSE_MS ? ['-skip_frame', 'noref'] : []),
    // The prefix keeps a path that looks like a URL or an option from being one. `V` leaves cover pictures out.
    ...['-an', '-sn', '-dn', '-i', `file:${path}`, '-map', '0:V:0', '-frames:v', String(maxFrames)],
    ...['-vf', `${onePer(everyMs)},${toYuv420p(true)}`],
    ...[...dialect.passthrough, ...TO_PIPE],
  ];
}

/** @param decoderOptions options of the input that come right before it */
export function cameraInput(
  dialect: FfmpegDialect,
  address: CameraAddress,
  decoderOptions: readonly string[],
): string[] {
  return [
    ...[
      '-protocol_whitelist',
      address.scheme === 'rtsps' ? 'tcp,tls' : 'tcp',
      '-codec_whitelist',
      CAMERA_CODECS,
    ],
    ...['-f', 'rtsp', '-rtsp_transport', 'tcp', '-allowed_media_types', 'video'],
    ...[dialect.socketTimeoutOption, String(SOCKET_TIMEOUT_MS * 1000)],
    // The first frame as soon as it is there: else ffmpeg collects frames to estimate their rate and to see their times.
    ...['-probesize', '32768', '-fpsprobesize', '0', '-max_ts_probe', '0'],
    // More threads would hold back as many frames.
    ...['-threads', '1', '-max_pixels', String(MAX_DECODED_PIXELS), ...decoderOptions],
    ...['-i', address.secretUrl],
  ];
}

const SINCE_LAST = 'abs(t-prev_selected_t)';
/** Frames come this much early or late by the clock of this machine, and a period of theirs is still one. */
const MAX_FRAME_JITTER_S = 0.02;
const MAX_KEY_FRAME_JITTER_S = 0.15;

/** The first frame that is a period after the last one. A clock that was set back counts as one that went on. */
function framePer(periodMs: number): string {
  return `select=isnan(prev_selected_t)+gte(${SINCE_LAST}\\,${seconds(periodMs / 1000 - MAX_FRAME_JITTER_S)})`;
}

/**
 * Key frames a period apart or more; and, on a fixed grid, the first of each period, if half a period after the last one: so the mean
 * interval is kept also where key frames do not divide it, and key frames that come once a period are all taken, early or late.
 */
function keyFramePer(periodMs: number): string {
  const periodS = periodMs / 1000;
  const cell = (time: string) => `floor(${time}/${periodS})`;
  const apart = (timeS: number) => `gte(${SINCE_LAST}\\,${seconds(timeS)})`;
  const near = apart(periodS - Math.min(periodS / 10, MAX_KEY_FRAME_JITTER_S));
  const next = `${apart(periodS / 2)}*not(eq(${cell('t')}\\,${cell('prev_selected_t')}))`;
  return `select=isnan(prev_selected_t)+${near}+${next}`;
}

const seconds = (timeS: number) => String(Math.round(timeS * 1000) / 1000);

/**
 * The first frame of each period of a file, on a fixed grid: the mean interval is kept also where frames do not divide it. The
 * thousandth takes in times that were rounded down to just before a period.
 */
function onePer(periodMs: number): string {
  const cell = (time: string) => `floor(${time}/${periodMs / 1000}+0.001)`;
  return `select=not(eq(${cell('t')}\\,${cell('prev_selected_t')}))`;
}

/** Planar YUV 4:2:0 with even sides, BT.601, limited range (16 to 235), whatever the camera sends. */
function toYuv420p(fitted: boolean): string {
  const shrink = fitted ? `*min(1\\,${MAX_SIDE_PX}/max(iw\\,ih))` : '';
  const even = (side: string) => `trunc(${side}${shrink}/2)*2`;
  return `scale=w=${even('iw')}:h=${even('ih')}:out_color_matrix=bt601:out_range=tv,format=yuv420p`;
}
