/** H.264 and HEVC clips for the RTSP server: made by ffmpeg, cut into access units, packed into RTP (RFC 6184 and 7798). */
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
  readonly codec?: ClipCodec;
  /** Pictures in a row that refer to later ones. */
  readonly bFrames?: number;
  /** Of ffmpeg, for the picture. */
  readonly filter?: string;
}

export type ClipCodec = 'h264' | 'hevc';

export interface H264Clip {
  readonly codec: ClipCodec;
  readonly framesPerSecond: number;
  readonly accessUnits: readonly AccessUnit[];
  /** By their names in a session description. */
  readonly parameterSets: Readonly<Record<'vps' | 'sps' | 'pps', Buffer | null>>;
}

export interface AccessUnit {
  readonly nalUnits: readonly Buffer[];
  readonly isKeyFrame: boolean;
}

/** Types of NAL units, and how many bytes their header has. */
const SYNTAX = {
  h264: { headerBytes: 1, keyFrames: [5], delimiter: 9, vps: -1, sps: 7, pps: 8, fragment: 28 },
  hevc: { headerBytes: 2, keyFrames: [19, 20, 21], delimiter: 35, vps: 32, sps: 33, pps: 34, fragment: 49 },
} as const;
const ENCODERS = {
  h264: ['-c:v', 'libx264', '-x264opts', 'aud=1:slices=1'],
  hevc: ['-c:v', 'libx265', '-x265-params', 'aud=1:log-level=none:bframes=0:scenecut=0:open-gop=0'],
} as const;
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
    codec = 'h264',
    bFrames = 0,
    filter,
  }: ClipOptions = {},
): Promise<H264Clip> {
  const source = file
    ? ['-stream_loop', '-1', '-i', file]
    : ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}`];
  const { stdout } = await promisify(execFile)(
    ffmpegPath,
    [
      ...['-nostdin', '-loglevel', 'error', ...source, '-map', '0:v:0', '-t', String(durationS)],
      ...[
        '-vf',
        `fps=${framesPerSecond},scale=${width}:${height},${filter ? `${filter},` : ''}format=yuv420p`,
      ],
      ...[
        ...ENCODERS[codec],
        '-preset',
        'veryfast',
        '-bf',
        String(bFrames),
        '-g',
        String(keyFrameIntervalFrames),
      ],
      ...['-sc_threshold', '0', '-f', codec, 'pipe:1'],
    ],
    { encoding: 'buffer', maxBuffer: MAX_CLIP_BYTES },
  );
  return splitClip(stdout, framesPerSecond, codec);
}

/** An Annex B byte stream with access unit delimiters. */
function splitClip(stream: Buffer, framesPerSecond: number, codec: ClipCodec): H264Clip {
  const syntax = SYNTAX[codec];
  const units: Buffer[][] = [];
  const parameterSets = new Map<number, Buffer>();
  for (const nal of nalUnitsOf(stream)) {
    const type = nalType(nal, codec);
    if (type === syntax.delimiter) units.push([]);
    else units.at(-1)!.push(nal);
    parameterSets.set(type, nal);
  }
  const isKeyFrame = (nal: Buffer) => (syntax.keyFrames as readonly number[]).includes(nalType(nal, codec));
  const setOf = (type: number) => parameterSets.get(type) ?? null;
  return {
    codec,
    framesPerSecond,
    accessUnits: units.map((nalUnits) => ({ nalUnits, isKeyFrame: nalUnits.some(isKeyFrame) })),
    parameterSets: { vps: setOf(syntax.vps), sps: setOf(syntax.sps), pps: setOf(syntax.pps) },
  };
}

const nalType = (nal: Buffer, codec: ClipCodec) => (codec === 'h264' ? nal[0]! & 31 : (nal[0]! >> 1) & 63);

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

/** Numbers and stamps the packets of one client. */
export class RtpPacketizer {
  readonly #codec: ClipCodec;
  #sequence = 1;

  constructor(codec: ClipCodec) {
    this.#codec = codec;
  }

  /** @param frameNumber counts on when the clip starts again */
  packets(unit: AccessUnit, frameNumber: number, framesPerSecond: number): Buffer[] {
    const timestamp = Math.round((frameNumber * CLOCK_HZ) / framesPerSecond) >>> 0;
    const payloads = unit.nalUnits.flatMap((nal) => fragments(nal, this.#codec));
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

function fragments(nal: Buffer, codec: ClipCodec): Buffer[] {
  if (nal.length <= MAX_PAYLOAD_BYTES) return [nal];
  const { headerBytes, fragment } = SYNTAX[codec];
  // The unit's own header with another type; the type goes into the byte that follows.
  const header =
    codec === 'h264' ? [(nal[0]! & 0xe0) | fragment] : [(nal[0]! & 0x81) | (fragment << 1), nal[1]!];
  const parts: Buffer[] = [];
  for (let at: number = headerBytes; at < nal.length; at += MAX_PAYLOAD_BYTES) {
    const part = nal.subarray(at, at + MAX_PAYLOAD_BYTES);
    const start = at === headerBytes ? 0x80 : 0;
    const end = at + MAX_PAYLOAD_BYTES >= nal.length ? 0x40 : 0;
    parts.push(Buffer.concat([Buffer.from([...header, start | end | nalType(nal, codec)]), part]));
  }
  return parts;
}

/** The session description (RFC 8866) of a clip. */
export function sdpOf({ codec, parameterSets: { vps, sps, pps } }: H264Clip): string {
  const text = (set: Buffer | null) => set?.toString('base64');
  const format =
    codec === 'h264'
      ? `packetization-mode=1;profile-level-id=${sps!.subarray(1, 4).toString('hex')};sprop-parameter-sets=${text(sps)},${text(pps)}`
      : `sprop-vps=${text(vps)};sprop-sps=${text(sps)};sprop-pps=${text(pps)}`;
  return [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=test camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} ${codec === 'h264' ? 'H264' : 'H265'}/${CLOCK_HZ}`,
    `a=fmtp:${PAYLOAD_TYPE} ${format}`,
    'a=control:streamid=0',
    '',
  ].join('\r\n');
}
