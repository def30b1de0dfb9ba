import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type VideoFrame, Y4mReader } from '../../../server/cameras/y4m.ts';

const HEADER = 'YUV4MPEG2 W4 H2 F25:1 Ip A1:1 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED\n';
const picture = (first: number) => Buffer.from(Array.from({ length: 12 }, (_, i) => first + i));
const stream = Buffer.concat([
  Buffer.from(HEADER),
  ...[10, 30].flatMap((first) => [Buffer.from('FRAME\n'), picture(first)]),
]);

function read(chunks: readonly Buffer[]): VideoFrame[] {
  const frames: VideoFrame[] = [];
  const reader = new Y4mReader(1000, (frame) => frames.push(frame));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

test('frames are read however the pipe cuts the stream', () => {
  for (let size = 1; size <= stream.length; size++) {
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
      stream.subarray(i * size, (i + 1) * size),
    );
    const frames = read(chunks);
    assert.deepEqual(
      frames.map(({ width, height, bytes }) => ({ width, height, bytes: [...bytes] })),
      [10, 30].map((first) => ({ width: 4, height: 2, bytes: [...picture(first)] })),
    );
  }
});

test('each frame owns its buffer, so that it can be transferred', () => {
  const [first, second] = read([stream]);
  assert.equal(first!.bytes.buffer.byteLength, 12);
  assert.notEqual(first!.bytes.buffer, second!.bytes.buffer);
  assert.deepEqual([...structuredClone(first!.bytes, { transfer: [first!.bytes.buffer] })], [...picture(10)]);
});

test('what is no such stream is refused, and no line grows without end', () => {
  const refused = [
    'GARBAGE\n',
    'x'.repeat(1000),
    'YUV4MPEG2 W4 H2 C444\n',
    'YUV4MPEG2 W3 H2 C420\n',
    'YUV4MPEG2 W0 H2 C420\n',
    'YUV4MPEG2 C420\n',
    `${HEADER}NOFRAME\n`,
    `${HEADER}${'FRAME'.padEnd(1000)}`,
  ];
  for (const text of refused) assert.throws(() => read([Buffer.from(text)]), /no YUV4MPEG2 stream/);
});

test('a frame larger than the limit is refused before memory is taken for it', () => {
  assert.throws(
    () => read([Buffer.from('YUV4MPEG2 W99998 H99998 C420\n')]),
    /99998 x 99998 pixels, at most 1000/,
  );
});
