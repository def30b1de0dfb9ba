import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ForbiddenAddressError,
  guardedLookup,
  hostOf,
  httpUrl,
  isHostAllowed,
  isPublicAddress,
} from '../../../server/attendance/url-policy.ts';

test('private, link-local, loopback and other special addresses are not public', () => {
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'no address',
  ])
    assert.equal(isPublicAddress(address), false, address);
  for (const address of [
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '192.0.1.1',
    '2606:4700::1111',
    '2a00:1450::5',
  ])
    assert.equal(isPublicAddress(address), true, address);
});

test('only http and https URLs count as such', () => {
  assert.equal(httpUrl('http://host/a')?.hostname, 'host');
  for (const text of ['file:///etc/passwd', 'ftp://host/', 'javascript:1', 'host', '', 'http://'])
    assert.equal(httpUrl(text), null, text);
});

test('a host is compared whole, without case, port and final dot', () => {
  const policy = { hosts: ['java-backend', '10.0.0.5', '::1'], allowPrivate: false };
  const allowed = (text: string) => isHostAllowed(policy, new URL(text));
  assert.ok(allowed('http://JAVA-backend:8080/x'));
  assert.ok(allowed('https://java-backend./x'));
  assert.ok(allowed('http://10.0.0.5/'));
  assert.ok(allowed('http://[::1]:80/'));
  assert.ok(!allowed('http://java-backend.evil.example/'));
  assert.ok(!allowed('http://evil.example/java-backend'));
  assert.ok(!allowed('http://java-backend@evil.example/'));
  assert.equal(hostOf(new URL('http://0x7f.1/')), '127.0.0.1');
});

test('a name that stands for a private address is not connected to', async () => {
  const lookup = guardedLookup({ hosts: [], allowPrivate: false }, new URL('http://localhost/'))!;
  const error = await new Promise((resolve) => lookup('localhost', {}, resolve));
  assert.ok(error instanceof ForbiddenAddressError);
  assert.throws(
    () => guardedLookup({ hosts: [], allowPrivate: false }, new URL('http://[::ffff:10.0.0.1]/')),
    ForbiddenAddressError,
  );
});

test('hosts that the settings name, and test beds, may have any address', () => {
  const url = new URL('http://127.0.0.1/');
  assert.equal(guardedLookup({ hosts: ['127.0.0.1'], allowPrivate: false }, url), undefined);
  assert.equal(guardedLookup({ hosts: [], allowPrivate: true }, url), undefined);
});
