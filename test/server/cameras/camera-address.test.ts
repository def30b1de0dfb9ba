import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCameraUrl, redactUrl } from '../../../server/cameras/camera-address.ts';
import { ServerError } from '../../../server/errors.ts';
import { seededRandom } from '../../kernels/random.ts';

const credentialsOf = (url: string) => {
  const { user, password } = parseCameraUrl(url);
  return [user, password];
};

test('a plain URL is taken apart and written again unchanged', () => {
  assert.deepEqual(parseCameraUrl('rtsp://192.168.1.100:554/stream1'), {
    scheme: 'rtsp',
    host: '192.168.1.100',
    port: 554,
    user: null,
    password: null,
    secretUrl: 'rtsp://192.168.1.100:554/stream1',
    redactedUrl: 'rtsp://192.168.1.100:554/stream1',
  });
  for (const url of [
    'rtsps://cam',
    'rtsp://cam-1.lan:8554',
    'rtsp://[fd00::1]:554/a?b=c&d=%20',
    'rtsp://10.0.0.1/a@b',
  ])
    assert.equal(parseCameraUrl(url).secretUrl, url);
});

test('credentials are taken raw or percent-encoded, and reach ffmpeg encoded', () => {
  const raw = parseCameraUrl('rtsp://admin:p@ss:w/o%rd#1?[x] +@192.168.1.10/live');
  const encoded = parseCameraUrl('rtsp://admin:p%40ss%3Aw%2Fo%25rd%231%3F%5Bx%5D%20%2B@192.168.1.10/live');
  assert.equal(raw.password, 'p@ss:w/o%rd#1?[x] +');
  assert.deepEqual(raw, encoded);
  assert.equal(raw.secretUrl, 'rtsp://admin:p%40ss%3Aw%2Fo%25rd%231%3F%5Bx%5D%20%2B@192.168.1.10/live');
});

test('any password is read back as it was, encoded always, raw where it does not look encoded', () => {
  const random = seededRandom(7);
  const alphabet = [...'@:/%#?[] aZ9&=+~\'!$*(),;_-\\^{}|<>"\u00fc\u20ac'];
  for (let round = 0; round < 3000; round++) {
    const length = 1 + Math.floor(random() * 10);
    const password = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
    const encoded = encodeURIComponent(password);
    assert.deepEqual(credentialsOf(`rtsp://admin:${encoded}@cam.lan:554/s`), ['admin', password]);
    if (/^[^%]*$|%(?![0-9a-f]{2})/i.test(password))
      assert.deepEqual(
        credentialsOf(`rtsp://admin:${password}@10.1.2.3:554/s`),
        ['admin', password],
        password,
      );
    const { secretUrl } = parseCameraUrl(`rtsp://admin:${encoded}@cam.lan:554/s`);
    assert.match(secretUrl, /^rtsp:\/\/admin:[A-Za-z0-9\-._~%]+@cam\.lan:554\/s$/);
    const again = new URL(secretUrl.replace('rtsp:', 'http:'));
    assert.equal(decodeURIComponent(again.password), password);
  }
});

test('an @ in the path belongs to the path where a host stands before it', () => {
  assert.deepEqual(credentialsOf('rtsp://cam.lan/live?mail=a@b.lan'), [null, null]);
  assert.deepEqual(credentialsOf('rtsp://nvr/live?mail=a@b.lan'), [null, null]);
  assert.deepEqual(credentialsOf('rtsp://u:p@nvr/live?mail=a@b.lan'), ['u', 'p']);
  assert.deepEqual(credentialsOf('rtsp://u:12/34@10.0.0.1/live'), ['u', '12/34']);
  assert.deepEqual(credentialsOf('rtsp://u:p@ss/w@cam:554/live'), ['u', 'p@ss/w']);
});

test('a user without a password stays one', () => {
  assert.equal(parseCameraUrl('rtsp://admin@cam.lan/').secretUrl, 'rtsp://admin@cam.lan/');
  assert.equal(parseCameraUrl('rtsp://admin:@cam.lan/').secretUrl, 'rtsp://admin:@cam.lan/');
});

test('what would end the request line or name another host is escaped or refused', () => {
  assert.equal(parseCameraUrl('rtsp://cam.lan/a b"c\u00e9').secretUrl, 'rtsp://cam.lan/a%20b%22c%C3%A9');
  const refused = [
    '',
    'http://cam.lan/',
    'file:///etc/passwd',
    '-i',
    'rtsp:cam.lan',
    'rtsp://',
    'rtsp:///path',
    'rtsp://cam.lan:0/',
    'rtsp://cam.lan:70000/',
    'rtsp://cam.lan:55x/',
    'rtsp://[::1/',
    'rtsp://[fe80::1%25eth0]/',
    'rtsp://ca m/',
    'rtsp://cam.lan/\r\nTEARDOWN',
    'rtsp://cam.lan/\u0000',
    'rtsp://us%3Aer:pw@cam.lan/',
    `rtsp://cam.lan/${'a'.repeat(1024)}`,
    `rtsp://admin:${'@'.repeat(50)}@cam.lan/`,
  ];
  for (const url of refused)
    assert.throws(
      () => parseCameraUrl(url),
      (error) =>
        error instanceof ServerError && error.status === 400 && error.message.startsWith('rtspUrl: expected'),
      JSON.stringify(url),
    );
});

test('an error about a URL does not repeat it', () => {
  assert.throws(
    () => parseCameraUrl('http://admin:S3cret@cam.lan/'),
    (error) => error instanceof Error && !/S3cret|admin/.test(error.message),
  );
});

test('a redacted URL holds neither credentials nor passwords of the query or the path', () => {
  assert.equal(redactUrl('rtsp://admin:p@ss/w@10.0.0.1:554/s?x=1'), 'rtsp://***@10.0.0.1:554/s?x=1');
  assert.equal(
    redactUrl('rtsp://cam.lan/s?user=me&password=no&ch=1'),
    'rtsp://cam.lan/s?user=***&password=***&ch=1',
  );
  assert.equal(
    redactUrl('rtsp://10.0.0.1/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp'),
    'rtsp://10.0.0.1/user=***_password=***_channel=1_stream=0.sdp',
  );
  assert.equal(redactUrl('rtsp://a:b@:x/'), 'rtsp:***');
  assert.equal(redactUrl('anything'), '***');
});
