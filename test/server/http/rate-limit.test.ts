import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf, createRateLimiter } from '../../../server/http/rate-limit.ts';

test('calls beyond the limit are told when the window ends, and the next window counts anew', () => {
  let nowMs = 1_000_000;
  const limiter = createRateLimiter({ maxCalls: 2, windowMs: 10_000, now: () => nowMs });
  assert.equal(limiter.count('10.0.0.1'), null);
  assert.equal(limiter.count('10.0.0.1'), null);
  nowMs += 3000;
  assert.equal(limiter.count('10.0.0.1'), 7);
  assert.equal(limiter.count('10.0.0.2'), null);
  nowMs += 7000;
  assert.equal(limiter.count('10.0.0.1'), null);
});

test('the table of clients keeps its size, the one seen first goes', () => {
  const limiter = createRateLimiter({ maxCalls: 1, windowMs: 10_000, maxClients: 2, now: () => 0 });
  for (const client of ['a', 'b', 'c']) assert.equal(limiter.count(client), null);
  assert.equal(limiter.count('c'), 10);
  assert.equal(limiter.count('b'), 10);
  assert.equal(limiter.count('a'), null);
});

test('a clock that was set back does not lock anybody out', () => {
  let nowMs = 1_000_000;
  const limiter = createRateLimiter({ maxCalls: 1, windowMs: 1000, now: () => nowMs });
  limiter.count('a');
  nowMs = 0;
  assert.equal(limiter.count('a'), null);
});

test('an IPv6 client is its /64, a mapped IPv4 address the address itself', () => {
  assert.equal(clientOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(clientOf('2001:0db8:0001:2::9'), '2001:db8:1:2::/64');
  assert.equal(clientOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(clientOf('::1'), '0:0:0:0::/64');
  assert.equal(clientOf('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(clientOf('10.0.0.1'), '10.0.0.1');
});
