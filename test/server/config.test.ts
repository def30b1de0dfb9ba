import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, parseConfig } from '../../server/config.ts';
import { StartError } from '../../server/errors.ts';
import { settingsTable } from '../../server/settings.ts';

function startErrorOf(texts: Record<string, string>): string {
  try {
    parseConfig(texts);
  } catch (error) {
    assert.ok(error instanceof StartError);
    return error.message;
  }
  throw new Error('the settings were accepted');
}

test('without any setting every default holds', () => {
  const { config, warnings } = parseConfig({});
  assert.equal(config.HOST, '0.0.0.0');
  assert.equal(config.PORT, 8000);
  assert.equal(config.ACCESS, 'devices');
  assert.equal(config.SIMILARITY_THRESHOLD, 0.85);
  assert.equal(config.MAX_UPLOAD_BYTES, 25 * 1024 * 1024);
  assert.equal(config.API_KEY, undefined);
  assert.deepEqual(config.PROVIDER, []);
  assert.deepEqual(warnings, []);
});

test('texts become numbers, switches and lists, in any case and with spaces around them', () => {
  const { config } = parseConfig({
    PORT: ' 0 ',
    LOG_LEVEL: 'DEBUG',
    KEEP_RAW_FRAMES: 'Yes',
    PROVIDER: 'CPU, wasm',
    SIMILARITY_THRESHOLD: '0.9',
    CORS_ORIGIN: 'https://a.example, https://b.example:8443',
  });
  assert.equal(config.PORT, 0);
  assert.equal(config.LOG_LEVEL, 'debug');
  assert.equal(config.KEEP_RAW_FRAMES, true);
  assert.deepEqual(config.PROVIDER, ['cpu', 'wasm']);
  assert.equal(config.SIMILARITY_THRESHOLD, 0.9);
  assert.deepEqual(config.CORS_ORIGIN, ['https://a.example', 'https://b.example:8443']);
  assert.deepEqual(parseConfig({ PROVIDER: 'auto' }).config.PROVIDER, []);
});

test('an empty text counts as not set', () => {
  assert.equal(parseConfig({ PORT: '', HOST: '  ' }).config.PORT, 8000);
});

test('every wrong setting is listed with what was expected and what came', () => {
  const message = startErrorOf({
    PORT: '70000',
    ACCESS: 'closed',
    WORKER_THREADS: '2.5',
    KEEP_RAW_FRAMES: 'maybe',
    PROVIDER: 'cpu,gpu',
    RATE_LIMIT_MAX: '1e5',
    DATABASE_URL: 'mysql://user:secret-password@host/db',
  });
  assert.match(message, /PORT: expected a whole number from 0 to 65535, received "70000"/);
  assert.match(message, /ACCESS: expected one of devices, strict, open, received "closed"/);
  assert.match(message, /WORKER_THREADS: expected a whole number from 1 to 256, received "2.5"/);
  assert.match(message, /KEEP_RAW_FRAMES: expected true or false, received "maybe"/);
  assert.match(message, /PROVIDER: expected auto, or a list of cuda, webgpu, cpu, wasm, received "cpu,gpu"/);
  assert.match(message, /RATE_LIMIT_MAX: expected a whole number/);
  assert.match(message, /DATABASE_URL: expected an address that starts with postgres/);
  assert.doesNotMatch(message, /secret-password/);
});

test('a key left at the one from the examples stops the start', () => {
  assert.match(
    startErrorOf({ API_KEY: 'dev-api-key-change-in-production' }),
    /API_KEY: expected a key of your own/,
  );
  assert.match(startErrorOf({ DEVICE_KEY: 'dev-api-key-change-in-production' }), /DEVICE_KEY/);
});

test('a short key is refused and not shown', () => {
  const message = startErrorOf({ API_KEY: 'short' });
  assert.match(message, /API_KEY: expected at least 16 printable characters.*received 5 characters/);
  assert.doesNotMatch(message, /"short"|short\b(?! )/);
});

test('the board key must not be the API key', () => {
  const key = 'the-same-key-for-both';
  assert.match(startErrorOf({ API_KEY: key, DEVICE_KEY: key }), /DEVICE_KEY: expected a key that differs/);
});

test('a name one slip away from a setting gets a warning, others do not', () => {
  const { warnings } = parseConfig({
    PROT: '9000',
    SIMILARTY_TRESHOLD: '0.9',
    PATH: '/bin',
    HOME: '/root',
    PWD: '/',
  });
  assert.deepEqual(warnings, [
    'PROT is not a setting; did you mean PORT?',
    'SIMILARTY_TRESHOLD is not a setting; did you mean SIMILARITY_THRESHOLD?',
  ]);
});

test('.env is read and the environment wins over it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'facepool-test-config-'));
  try {
    writeFileSync(
      join(folder, '.env'),
      'PORT=9100\nSERVICE_NAME="From the file" # a comment\nLOG_LEVEL=WARN\n',
    );
    const { config } = loadConfig(folder, { PORT: '9200', LOG_LEVEL: '' });
    assert.equal(config.PORT, 9200);
    assert.equal(config.SERVICE_NAME, 'From the file');
    assert.equal(config.LOG_LEVEL, 'warn');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the table in the README is the one that the settings make', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme)?.[1];
  assert.equal(table?.trim(), settingsTable());
});
