import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JpegSplitter } from '../../../server/cameras/jpeg-splitter.ts';

const picture = (...body: number[]) => Buffer.from([0xff, 0xd8, ...body, 0xff, 0xd9]);

function split(chunks: readonly Buffer[]): Buffer[] {
  const pictures: Buffer[] = [];
  const splitter = new JpegSplitter((jpeg) => pictures.push(jpeg));
  for (const chunk of chunks) splitter.push(chunk);
  return pictures;
}

test('pictures are the same however the stream is cut', () => {
  const pictures = [picture(1, 2, 3), picture(), picture(0xff, 0x00, 7)];
  const stream = Buffer.concat(pictures);
  for (let size = 1; size <= stream.length; size++) {
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
      stream.subarray(i * size, (i + 1) * size),
    );
    assert.deepEqual(split(chunks), pictures, `in chunks of ${size}`);
  }
});

test('what comes before the first picture is thrown away', () => {
  assert.deepEqual(split([Buffer.from([1, 2, 0xff, 0xd9, 5]), picture(9)]), [picture(9)]);
});

test('a picture without an end takes no more than its share of memory', () => {
  const junk = Buffer.alloc(9 * 1024 * 1024, 1);
  assert.deepEqual(split([Buffer.from([0xff, 0xd8]), junk, picture(4)]), [picture(4)]);
});
