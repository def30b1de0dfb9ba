import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseName, onlyFace, requireGoodFace } from '../../../server/recognition/enrolment.ts';
import type { AnalysedFace } from '../../../workers/protocol.ts';
import { type WrittenFace, writtenPicture, writtenRecognizer } from '../../support/written-pictures.ts';

async function facesOf(...faces: WrittenFace[]): Promise<readonly AnalysedFace[]> {
  const bytes = writtenPicture(...faces);
  const result = await writtenRecognizer().analyse({
    input: { kind: 'encoded', bytes },
    index: null,
    returnEmbeddings: true,
    jpegQuality: null,
  });
  return result.faces;
}

test('a name is trimmed and composed', () => {
  assert.equal(normaliseName('  Zoe\u0308 Müller\t'), 'Zoë Müller');
  assert.equal(normaliseName('王小明'), '王小明');
  assert.equal(normaliseName('a'.repeat(100)).length, 100);
  assert.equal([...normaliseName('😀'.repeat(100))].length, 100);
});

test('a name that is none is refused with the field', () => {
  for (const name of [
    '',
    '   ',
    'a'.repeat(101),
    'a\nb',
    'a\u0000',
    'a\u202eb',
    '\ud800',
    7,
    undefined,
    null,
  ])
    assert.throws(() => normaliseName(name), { status: 400, message: /^name: expected/ });
});

test('no face, and two people, are refused; somebody small in the background is not', async () => {
  assert.throws(() => onlyFace([]), { status: 422, code: 'NO_FACE' });
  const two = await facesOf(
    { person: 1, widthPx: 100 },
    { person: 2, widthPx: 40 },
    { person: 3, widthPx: 20 },
  );
  assert.throws(() => onlyFace(two), { status: 422, code: 'SEVERAL_FACES', message: /^2 faces/ });
  const background = await facesOf({ person: 2, widthPx: 33 }, { person: 1, widthPx: 100 });
  assert.equal(onlyFace(background).box.width, 100);
});

test('each way of being a poor picture has its code, its measure and a remedy', async () => {
  const cases = [
    [{ widthPx: 59 }, 'FACE_TOO_SMALL', /59 px wide, at least 60 px/],
    [{ quality: { clarity: 0.1 } }, 'FACE_BLURRED', /clarity 0\.10, at least/],
    [{ quality: { angle: 0.1 } }, 'FACE_TURNED', /straight into the camera/],
    [{ quality: { lighting: 0.1 } }, 'FACE_BADLY_LIT', /evenly/],
    [{ quality: { clarity: Number.NaN } }, 'FACE_BLURRED', /clarity/],
  ] as const;
  for (const [change, code, message] of cases) {
    const [face] = await facesOf({ person: 1 });
    const poor = {
      ...face!,
      box: { ...face!.box, width: 'widthPx' in change ? change.widthPx : 120 },
      quality: { ...face!.quality, ...('quality' in change ? change.quality : {}) },
    };
    assert.throws(() => requireGoodFace(poor), { status: 422, code, message });
  }
  requireGoodFace((await facesOf({ person: 1, widthPx: 60 }))[0]!);
});
