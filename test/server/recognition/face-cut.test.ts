import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faceAt } from '../../../server/recognition/enrolment.ts';
import { roomAround } from '../../../server/recognition/face-cut.ts';
import type { AnalysedFace, Box } from '../../../workers/protocol.ts';
import { writtenPicture, writtenRecognizer } from '../../support/written-pictures.ts';

const face: Box = { x: 100, y: 100, width: 100, height: 120 };

async function facesAt(...lefts: number[]): Promise<readonly AnalysedFace[]> {
  const bytes = writtenPicture(...lefts.map((x, person) => ({ person, x, widthPx: 100 })));
  const task = { index: null, returnEmbeddings: false, jpegQuality: null } as const;
  return (await writtenRecognizer().analyse({ input: { kind: 'encoded', bytes }, ...task })).faces;
}

test('a face that stands alone is cut out with a face of room on each side', () => {
  assert.deepEqual(roomAround(face, []), { x: -20, y: -20, width: 340, height: 360 });
});

test('the room ends before the next person, and somebody small in the background does not count', () => {
  const beside: Box = { x: 260, y: 100, width: 100, height: 120 };
  const cut = roomAround(face, [beside]);
  assert.ok(cut.x + cut.width <= beside.x && cut.width > 2 * face.width, JSON.stringify(cut));
  assert.deepEqual(roomAround(face, [{ ...beside, width: 30 }]), roomAround(face, []));
});

test('cheek by cheek, the head itself is never cut', () => {
  const cut = roomAround(face, [{ x: 195, y: 100, width: 100, height: 120 }]);
  assert.ok(cut.x <= face.x - 40 && cut.x + cut.width >= face.x + face.width + 40);
});

test('of several faces the nearest to the box is meant, and none where the box lies elsewhere', async () => {
  const faces = await facesAt(10, 60, 300);
  assert.equal(faceAt(faces, { x: 70, y: 12, width: 90, height: 110 }), faces[1]);
  assert.equal(faceAt(faces, { x: 310, y: 0, width: 100, height: 120 }), faces[2]);
  for (const elsewhere of [
    { x: 450, y: 10, width: 100, height: 100 },
    { x: 10, y: 10, width: 5, height: 5 },
  ])
    assert.throws(() => faceAt(faces, elsewhere), { status: 422, code: 'FACE_NOT_THERE' });
});
