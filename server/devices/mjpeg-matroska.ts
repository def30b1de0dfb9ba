/**
 * JPEGs with their times as a stream that ffmpeg can read from a pipe: the smallest Matroska file there is (RFC 9559, EBML RFC 8794).
 * Pipes of bare pictures carry no times, and lists of files carry them in steps of 40 ms.
 */
import type { PictureSize } from './jpeg-size.ts';

const ID = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  flagLacing: 0x9c,
  codecId: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const;

/** All data bits set: the element ends with the stream. */
const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
const NANOSECONDS_PER_MS = 1_000_000;
const VIDEO_TRACK = 1;
/** Track 1 as an EBML number, no time beyond the cluster's (int16), key frame. */
const BLOCK_HEADER = Buffer.from([0x80 | VIDEO_TRACK, 0, 0, 0x80]);

/** What stands before the frames. @param size of the first frame; later ones may have others */
export function matroskaHeader({ width, height }: PictureSize): Buffer {
  return Buffer.concat([
    element(
      ID.ebml,
      text(ID.docType, 'matroska'),
      whole(ID.docTypeVersion, 4),
      whole(ID.docTypeReadVersion, 2),
    ),
    number(ID.segment),
    UNKNOWN_SIZE,
    element(
      ID.info,
      whole(ID.timestampScale, NANOSECONDS_PER_MS),
      text(ID.muxingApp, 'facepool'),
      text(ID.writingApp, 'facepool'),
    ),
    element(
      ID.tracks,
      element(
        ID.trackEntry,
        whole(ID.trackNumber, VIDEO_TRACK),
        whole(ID.trackUid, VIDEO_TRACK),
        whole(ID.trackType, 1),
        whole(ID.flagLacing, 0),
        text(ID.codecId, 'V_MJPEG'),
        element(ID.video, whole(ID.pixelWidth, width), whole(ID.pixelHeight, height)),
      ),
    ),
  ]);
}

/** @param timeMs since the first frame, whole, not smaller than the one before */
export function matroskaFrame(timeMs: number, jpeg: Uint8Array): Buffer {
  return element(ID.cluster, whole(ID.timestamp, timeMs), element(ID.simpleBlock, BLOCK_HEADER, jpeg));
}

function element(id: number, ...content: Uint8Array[]): Buffer {
  const lengthBytes = content.reduce((sum, part) => sum + part.length, 0);
  // A size of always four bytes: 0x1 and 28 bits.
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x10000000 + lengthBytes);
  return Buffer.concat([number(id), size, ...content]);
}

const text = (id: number, value: string) => element(id, Buffer.from(value, 'ascii'));
const whole = (id: number, value: number) => element(id, number(value));

/** High byte first, in as few bytes as it takes; an id already carries the marker of its own length. */
function number(value: number): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
