import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { multipartBoundary, parseMultipart } from '../../../server/http/multipart.ts';

const TYPE = 'multipart/form-data; boundary=XyZ';
const parse = (text: string, type = TYPE) => parseMultipart(Buffer.from(text, 'latin1'), type);

function refusal(text: string, type = TYPE): string {
  try {
    parse(text, type);
  } catch (error) {
    assert.ok(error instanceof ServerError);
    assert.equal(error.status, 400);
    return error.message;
  }
  throw new Error('the body was accepted');
}

test('what fetch writes comes out as it went in, names and bytes', async () => {
  const bytes = new Uint8Array(70_000).map((_, i) => (i * 7919) >> 3);
  // Bytes that look like a boundary without being one.
  bytes.set(Buffer.from('\r\n--\r\n------\r\n\r\n'), 1000);
  const form = new FormData();
  form.set('name', 'Nguyễn Văn "A"');
  form.set('empty', '');
  form.set('we"ird', 'x');
  form.set('image', new Blob([bytes], { type: 'image/jpeg' }), 'a "b".jpg');
  const request = new Request('http://localhost/', { method: 'POST', body: form });
  const parts = parseMultipart(
    new Uint8Array(await request.arrayBuffer()),
    request.headers.get('content-type')!,
  );
  assert.deepEqual(
    parts.map(({ name, fileName, type }) => ({ name, fileName, type })),
    [
      { name: 'name', fileName: null, type: null },
      { name: 'empty', fileName: null, type: null },
      { name: 'we"ird', fileName: null, type: null },
      { name: 'image', fileName: 'a "b".jpg', type: 'image/jpeg' },
    ],
  );
  assert.equal(parts[0]!.bytes.toString(), 'Nguyễn Văn "A"');
  assert.equal(parts[1]!.bytes.length, 0);
  assert.ok(parts[3]!.bytes.equals(bytes));
});

test('what boards write by hand is understood: no file name, no type, a preamble, spaces after a boundary', () => {
  const parts = parse(
    'preamble\r\n--XyZ  \r\ncontent-disposition: form-data; name=image\r\n\r\nAB\r\nC\r\n--XyZ--\r\nepilogue',
  );
  assert.equal(parts.length, 1);
  assert.equal(parts[0]!.name, 'image');
  assert.equal(parts[0]!.bytes.toString(), 'AB\r\nC');
});

test('a quoted boundary and one among other parameters are found', () => {
  assert.equal(multipartBoundary('multipart/form-data; charset=utf-8; boundary="a b:c"'), 'a b:c');
  assert.equal(multipartBoundary('multipart/form-data; boundary=----x; charset=utf-8'), '----x');
  assert.equal(multipartBoundary('multipart/form-data'), null);
});

test('a broken body is refused with what is wrong with it', () => {
  const part = '--XyZ\r\nContent-Disposition: form-data; name="image"\r\n\r\n';
  assert.match(refusal('', TYPE), /does not occur/);
  assert.match(refusal(`${part}x\r\n--XyZ--`, 'multipart/form-data'), /names no boundary/);
  assert.match(refusal(`${part}half a pic`), /closing boundary is missing/);
  assert.match(
    refusal('--XyZ\r\nContent-Disposition: form-data; name="image"'),
    /header of part 1 does not end/,
  );
  assert.match(refusal('--XyZ\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--XyZ--'), /part 1 has no name/);
  assert.match(refusal('--XyZ\r\nContent-Disposition: form-data; name=""\r\n\r\nx\r\n--XyZ--'), /no name/);
  assert.match(refusal('--XyZzz'), /neither a line end nor --/);
  assert.match(refusal(`${`${part}x\r\n`.repeat(65)}--XyZ--`), /more than 64 parts/);
});

test('every cut of a good body is refused or gives whole parts, and never hangs', () => {
  const whole =
    '--XyZ\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnna\r\n--XyZ\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\nBYTES\r\n--XyZ--\r\n';
  for (let length = 0; length < whole.length; length++) {
    try {
      for (const part of parse(whole.slice(0, length))) assert.match(part.bytes.toString(), /^(Anna|BYTES)$/);
    } catch (error) {
      assert.ok(error instanceof ServerError);
    }
  }
});
