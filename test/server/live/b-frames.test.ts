import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginsBSlice } from '../../../server/live/b-frames.ts';
import { ffmpegOrReason, smallClip } from '../../support/ffmpeg.ts';
import { type ClipOptions, RtpPacketizer } from '../../support/h264-clip.ts';

const { program, reason } = await ffmpegOrReason();

describe('slices of H.264 over RTP', { skip: reason }, () => {
  async function slices(options: ClipOptions): Promise<{ b: number; others: number }> {
    const clip = await smallClip(program!, { durationS: 2, ...options });
    const packetizer = new RtpPacketizer(clip.codec);
    const found = { b: 0, others: 0 };
    for (const [i, unit] of clip.accessUnits.entries())
      for (const packet of packetizer.packets(unit, i, clip.framesPerSecond)) {
        const begins = beginsBSlice(packet);
        if (begins !== null) found[begins ? 'b' : 'others']++;
      }
    return found;
  }

  test('those of a camera with B-frames are found, whole and in fragments', async () => {
    assert.ok((await slices({ bFrames: 2 })).b >= 20);
    assert.ok((await slices({ bFrames: 2, width: 1280, height: 720 })).b >= 20);
  });

  test('a camera without them has none', async () => {
    const { b, others } = await slices({});
    assert.deepEqual([b, others >= 40], [0, true]);
  });

  test('what is cut off or empty begins none', () => {
    for (const bytes of [
      [],
      [0x80],
      [...Array(12).fill(0x80)],
      [...Array(12).fill(0), 0x41],
      [...Array(12).fill(0), 0x41, 0],
    ])
      assert.equal(beginsBSlice(Uint8Array.from(bytes)), null);
  });
});
