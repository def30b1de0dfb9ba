/** H.264 clips for the RTSP server: made by ffmpeg, cut into access units, packed into RTP (RFC 6184, packetisation mode 1). */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface ClipOptions {
  /** A video file; a moving test picture where there is none. */
  readonly file?: string;
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly durationS?: number;
  readonly keyFrameIntervalFrames?: number;
}

export interface H264Clip {
  readonly framesPerSecond: number;
  readonly accessUnits: readonly AccessUnit[];
  readonly sequenceParameterSet: Buffer;
  readonly pictureParameterSet: Buffer;
}

export interface AccessUnit {
  readonly nalUnits: readonly Buffer[];
  readonly isKeyFrame: boolean;
}

const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;
const NAL_DELIMITER = 9;
const MAX_CLIP_BYTES = 256 * 1024 * 1024;

export async function makeH264Clip(
  ffmpegPath: string,
  {
    file,
    width = 320,
    height = 240,
    framesPerSecond = 25,
    durationS = 4,
    keyFrameIntervalFrames = framesPerSecond,
  }: ClipOptions = {},
): Promise<H264Clip> {
  const source = file
    ? ['-stream_loop', '-1', '-i', file]
    : ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}`];
  const { stdout } = await promisify(execFile)(
    ffmpegPath,
    [
      ...['-nostdin', '-loglevel', 'error', ...source, '-map', '0:v:0', '-t', String(durationS)],
      ...['-vf', `fps=${framesPerSecond},scale=${width}:${height},format=yuv420p`],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', String(keyFrameIntervalFrames)],
      ...['-sc_threshold', '0', '-x264opts', 'aud=1:slices=1', '-f', 'h264', 'pipe:1'],
    ],
    { encoding: 'buffer', maxBuffer: MAX_CLIP_BYTES },
  );
  return splitClip(stdout, framesPerSecond);
}

/** An Annex B byte stream with access unit delimiters. */
function splitClip(stream: Buffer, framesPerSecond: number): H264Clip {
  const units: Buffer[][] = [];
  const parameterSets = new Map<number, Buffer>();
  for (const nal of nalUnitsOf(stream)) {
    const type = nalType(nal);
    if (type === NAL_DELIMITER) units.push([]);
    else units.at(-1)!.push(nal);
    if (type === NAL_SPS || type === NAL_PPS) parameterSets.set(type, nal);
  }
  return {
    framesPerSecond,
    accessUnits: units.map((nalUnits) => ({
      nalUnits,
      isKeyFrame: nalUnits.some((nal) => nalType(nal) === NAL_IDR),
    })),
    sequenceParameterSet: parameterSets.get(NAL_SPS)!,
    pictureParameterSet: parameterSets.get(NAL_PPS)!,
  };
}

const nalType = (nal: Buffer) => nal[0]! & 31;

function* nalUnitsOf(stream: Buffer): Generator<Buffer> {
  const START_CODE = Buffer.from([0, 0, 1]);
  let start = stream.indexOf(START_CODE);
  while (start >= 0) {
    const next = stream.indexOf(START_CODE, start + 3);
    let end = next < 0 ? stream.length : next;
    // A start code may have four bytes; its first zero is no part of the unit before it.
    while (next >= 0 && stream[end - 1] === 0) end--;
    yield stream.subarray(start + 3, end);
    start = next;
  }
}

const MAX_PAYLOAD_BYTES = 1200;
const CLOCK_HZ = 90_000;
export const PAYLOAD_TYPE = 96;
const FU_A = 28;

/** Numbers and stamps the packets of one client. */
export class RtpPacketizer {
  #sequence = 1;

  /** @param frameNumber counts on when the clip starts again */
  packets(unit: AccessUnit, frameNumber: number, framesPerSecond: number): Buffer[] {
    const timestamp = Math.round((frameNumber * CLOCK_HZ) / framesPerSecond) >>> 0;
    const payloads = unit.nalUnits.flatMap(fragments);
    return payloads.map((payload, i) => this.#packet(payload, timestamp, i === payloads.length - 1));
  }

  #packet(payload: Buffer, timestamp: number, isLastOfFrame: boolean): Buffer {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = PAYLOAD_TYPE | (isLastOfFrame ? 0x80 : 0);
    header.writeUInt16BE(this.#sequence, 2);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    header.writeUInt32BE(timestamp, 4);
    header.writeUInt32BE(0x2222, 8);
    return Buffer.concat([header, payload]);
  }
}

function fragments(nal: Buffer): Buffer[] {
  if (nal.length <= MAX_PAYLOAD_BYTES) return [nal];
  const parts: Buffer[] = [];
  for (let at = 1; at < nal.length; at += MAX_PAYLOAD_BYTES) {
    const part = nal.subarray(at, at + MAX_PAYLOAD_BYTES);
    const start = at === 1 ? 0x80 : 0;
    const end = at + MAX_PAYLOAD_BYTES >= nal.length ? 0x40 : 0;
    parts.push(Buffer.concat([Buffer.from([(nal[0]! & 0xe0) | FU_A, start | end | nalType(nal)]), part]));
  }
  return parts;
}

/** The session description (RFC 8866) of a clip. */
export function sdpOf(clip: H264Clip): string {
  const sets = [clip.sequenceParameterSet, clip.pictureParameterSet].map((set) => set.toString('base64'));
  const profile = clip.sequenceParameterSet.subarray(1, 4).toString('hex');
  return [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=test camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/${CLOCK_HZ}`,
    `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets.join(',')}`,
    'a=control:streamid=0',
    '',
  ].join('\r\n');
}
