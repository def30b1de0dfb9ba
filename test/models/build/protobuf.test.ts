import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, intsOf, Message, ProtobufError, textOf } from '../../../models/build/protobuf.ts';

const fieldsIn = (...bytes: number[]) => [...fieldsOf(Uint8Array.from(bytes))];

test('what is written is read, field by field', () => {
  const inner = new Message().text(1, 'Größe');
  const message = new Message()
    .int(1, 0)
    .int(2, 300)
    .message(900, inner)
    .int(3, 2 ** 53 - 1)
    .finish();
  const [zero, small, nested, large] = [...fieldsOf(message)];
  assert.deepEqual([zero!.number, zero!.int], [1, 0]);
  assert.deepEqual([small!.number, small!.int], [2, 300]);
  assert.deepEqual([large!.number, large!.int], [3, 2 ** 53 - 1]);
  assert.deepEqual([nested!.number, nested!.int], [900, null]);
  assert.equal(textOf([...fieldsOf(nested!.payload)][0]!), 'Größe');
  const copied = new Message();
  for (const field of fieldsOf(message)) copied.copy(field);
  assert.deepEqual(copied.finish(), message);
});

test('a negative number is ten bytes', () => {
  const minusOne = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
  assert.equal(fieldsIn(8, ...minusOne)[0]!.int, -1);
  assert.deepEqual(intsOf(fieldsIn(10, 12, 5, ...minusOne, 7)[0]!), [5, -1, 7]);
});

test('fields of 4 and of 8 bytes have a payload of that size', () => {
  const [four, eight] = fieldsIn(13, 1, 2, 3, 4, 17, 1, 2, 3, 4, 5, 6, 7, 8);
  assert.deepEqual([...four!.payload], [1, 2, 3, 4]);
  assert.deepEqual([...eight!.payload], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('bytes that are no message are an error that says where, whatever lengths they claim', () => {
  const wrong: Record<string, { readonly bytes: readonly number[]; readonly message: RegExp }> = {
    'a tag alone': { bytes: [8], message: /^byte 1: expected a number, received the end$/ },
    'a length beyond the end': {
      bytes: [8, 1, 10, 5, 1],
      message: /^byte 2: expected at most 1 bytes, received a field of 5$/,
    },
    'a length of 2^62': {
      bytes: [10, 128, 128, 128, 128, 128, 128, 128, 128, 64],
      message: /^byte 0: expected at most 0 bytes/,
    },
    'a negative length': {
      bytes: [10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
      message: /^byte 0: expected at most 0 bytes, received a field of -1$/,
    },
    'a number without an end': { bytes: [8, ...new Array(11).fill(255)], message: /at most 10 bytes/ },
    'a group': { bytes: [11, 12], message: /^byte 0: expected a field of kind 0, 1, 2 or 5, received 3$/ },
    'field 0': { bytes: [0, 1], message: /^byte 0: expected a field from 1 to 2\^29 - 1, received 0$/ },
    'a cut fixed number': { bytes: [13, 1, 2], message: /^byte 0: expected at most 2 bytes/ },
  };
  for (const [name, { bytes, message }] of Object.entries(wrong))
    assert.throws(
      () => fieldsIn(...bytes),
      (error: Error) => error instanceof ProtobufError && message.test(error.message),
      name,
    );
  assert.throws(() => textOf(fieldsIn(10, 1, 255)[0]!), ProtobufError);
});
