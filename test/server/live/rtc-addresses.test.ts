import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rtcListening } from '../../../server/live/rtc-addresses.ts';

const OWN = ['192.168.1.5', '10.0.0.7'];
const at = (host: string, announcedIp: string | null = null, ownAddresses = OWN) =>
  rtcListening({ host, announcedIp, ownAddresses });

test('every address of this machine is told where the server listens on all of them', () => {
  const addresses = OWN.map((ip) => ({ ip, announced: null }));
  assert.deepEqual(at('0.0.0.0'), { addresses, warnings: [] });
  assert.deepEqual(at('::'), { addresses, warnings: [] });
});

test('the media server listens no wider than the server', () => {
  assert.deepEqual(at('127.0.0.1').addresses, [{ ip: '127.0.0.1', announced: null }]);
  assert.deepEqual(at('localhost').addresses, [{ ip: '127.0.0.1', announced: null }]);
  assert.deepEqual(at('10.0.0.7').addresses, [{ ip: '10.0.0.7', announced: null }]);
  assert.deepEqual(at('10.0.0.7', '203.0.113.9').addresses, [{ ip: '10.0.0.7', announced: '203.0.113.9' }]);
});

test('ANNOUNCED_IP is told in place of all others, and one that only this machine reaches is warned of', () => {
  const behindNat = at('0.0.0.0', '203.0.113.9');
  assert.deepEqual(behindNat, { addresses: [{ ip: '0.0.0.0', announced: '203.0.113.9' }], warnings: [] });
  assert.match(at('0.0.0.0', '127.0.0.1').warnings[0]!, /no other machine/);
});

test('a machine without a network of its own says what is needed', () => {
  const alone = at('0.0.0.0', null, []);
  assert.deepEqual(alone.addresses, [{ ip: '127.0.0.1', announced: null }]);
  assert.match(alone.warnings[0]!, /ANNOUNCED_IP/);
});
