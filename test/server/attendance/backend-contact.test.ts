import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackendContact } from '../../../server/attendance/backend-contact.ts';

const URL_ = 'http://java-backend:8080/api/v1/attendance/recognition-result';

test('nothing is known of a backend that was never called', () => {
  assert.deepEqual(createBackendContact(null).status(), { connected: false, lastSyncAt: null });
});

test('a backend is connected while its last call was answered, and was in step when it last took something', () => {
  let nowMs = 1_700_000_000_000;
  const contact = createBackendContact('http://java-backend:8080', () => nowMs);
  contact.note(URL_, 'delivered');
  const lastSyncAt = new Date(nowMs);
  assert.deepEqual(contact.status(), { connected: true, lastSyncAt });
  nowMs += 1000;
  contact.note(URL_, 'refused');
  assert.deepEqual(contact.status(), { connected: true, lastSyncAt });
  contact.note(URL_, 'failed');
  assert.deepEqual(contact.status(), { connected: false, lastSyncAt });
});

test('an answer of long ago says nothing about now', () => {
  let nowMs = 0;
  const contact = createBackendContact('http://java-backend:8080', () => nowMs);
  contact.note(URL_, 'delivered');
  nowMs = 5 * 60_000 + 1;
  assert.deepEqual(contact.status(), { connected: false, lastSyncAt: new Date(0) });
});

test('where a backend is set, other hosts are not it; where none is, whoever takes callbacks is', () => {
  const set = createBackendContact('http://other-host:8080');
  set.note(URL_, 'delivered');
  assert.equal(set.status().connected, false);
  const unset = createBackendContact(null);
  unset.note(URL_, 'delivered');
  assert.equal(unset.status().connected, true);
});
