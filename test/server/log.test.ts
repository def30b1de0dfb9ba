import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createLog, type LogOptions } from '../../server/log.ts';

function logInto(lines: string[], options: Partial<LogOptions> = {}) {
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return createLog({ level: 'info', format: 'json', secrets: new Set(), output, ...options });
}

test('a line is JSON with the fields timestamp, level and message', () => {
  const lines: string[] = [];
  logInto(lines).info({ cameraId: 7 }, 'connected');
  const line = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.equal(line.level, 'INFO');
  assert.equal(line.message, 'connected');
  assert.equal(line.cameraId, 7);
  assert.match(String(line.timestamp), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('secrets, passwords in addresses and read tokens never reach a line', () => {
  for (const format of ['json', 'text'] as const) {
    const lines: string[] = [];
    const secrets = new Set(['the-api-key-of-this-server']);
    const log = logInto(lines, { secrets, format });
    log.warn({ header: 'the-api-key-of-this-server' }, 'rtsp://admin:pa@ss@10.0.0.5/stream failed');
    secrets.add('a-key-made-later');
    log.error({ err: new Error('a-key-made-later'), path: '/data/a.jpg?token=abc.def&x=1' }, 'failed');
    const text = lines.join('');
    assert.doesNotMatch(text, /the-api-key|a-key-made-later|admin|pa@ss|abc\.def/);
    assert.match(text, /rtsp:\/\/\*\*\*@10\.0\.0\.5\/stream/);
    assert.match(text, /token=\*\*\*&x=1/);
  }
});

test('text lines are one line for people, with the stack of an error below', () => {
  const lines: string[] = [];
  logInto(lines, { format: 'text' }).error({ err: new Error('broken'), part: 'database' }, 'did not close');
  assert.match(lines[0]!, /^\d\d:\d\d:\d\d\.\d{3} ERROR did not close part=database\nError: broken\n/);
});

test('nobody writes a line of their own into the text', () => {
  const lines: string[] = [];
  logInto(lines, { format: 'text' }).info(
    { path: '/a\n12:00:00.000 FATAL broken', escape: '\x1b[2J' },
    'request',
  );
  assert.equal(lines.join('').split('\n').length, 2);
  assert.ok(!lines.join('').includes('\x1b'));
});
