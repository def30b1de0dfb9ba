import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecognisedFace } from '../../server/dashboard/client/people/calls.ts';
import { identityWords, matches, qualityWords } from '../../server/dashboard/client/people/words.ts';
import { PERFECT_QUALITY } from '../support/vectors.ts';

const face = (changes: Partial<RecognisedFace>): RecognisedFace => ({
  box: { x: 0, y: 0, width: 100, height: 100 },
  recognizedAs: null,
  similarity: 0.7,
  threshold: 0.85,
  margin: null,
  unjudged: null,
  quality: PERFECT_QUALITY,
  ...changes,
});

test('who somebody is, is told with how sure that is and what it rests on', () => {
  const cases = [
    [
      { recognizedAs: 'Ada', similarity: 0.93, margin: 0.2 },
      'Ada',
      /^Clearly .* 0\.93, 0\.85 is needed.*0\.20/,
    ],
    [{ recognizedAs: 'Ada', similarity: 0.86 }, 'Ada', /only just/],
    [{ similarity: 0.83 }, 'Unknown', /not enough/],
    [{ similarity: 0.4 }, 'Unknown', /Not similar to anybody/],
    [{ similarity: null }, 'Unknown', /Nobody is enrolled/],
    [{ similarity: 0.9, unjudged: 'blurred' }, 'Cannot be told', /blurred/],
  ] as const;
  for (const [changes, title, detail] of cases) {
    const told = identityWords(face(changes));
    assert.equal(told.title, title);
    assert.match(told.detail, detail);
  }
});

test('a picture is called good, or what is weak about it is named', () => {
  assert.equal(qualityWords(PERFECT_QUALITY).text, 'Good picture');
  assert.match(qualityWords({ ...PERFECT_QUALITY, clarity: 0.4, angle: 0.5 }).text, /soft, turned/);
});

test('the search minds neither case nor accents', () => {
  assert.ok(matches('Jürgen Ødegård', 'jurgen'));
  assert.ok(matches('Nguyễn Đức', ' nguyen '));
  assert.ok(!matches('Ada', 'adam'));
});
