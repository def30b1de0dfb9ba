import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sightings } from '../../../server/attendance/sightings.ts';

test('one sighting is enough unless more are asked for', () => {
  const sightings = new Sightings(1, 5);
  assert.equal(sightings.add(1, 0), true);
});

test('a student counts from the scan on that makes the number full, and after it', () => {
  const sightings = new Sightings(3, 5);
  const answers = [0, 5000, 10_000, 15_000].map((atMs) => sightings.add(1, atMs));
  assert.deepEqual(answers, [false, false, true, true]);
});

test('each student is counted alone', () => {
  const sightings = new Sightings(2, 5);
  assert.equal(sightings.add(1, 0), false);
  assert.equal(sightings.add(2, 1000), false);
  assert.equal(sightings.add(1, 2000), true);
});

test('a sighting of long ago does not count', () => {
  const sightings = new Sightings(2, 5);
  assert.equal(sightings.add(1, 0), false);
  assert.equal(sightings.add(1, 3_600_000), false);
  assert.equal(sightings.add(1, 3_605_000), true);
});
