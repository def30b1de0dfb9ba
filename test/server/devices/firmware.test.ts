import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SKETCH = new URL(
  '../../../server/devices/firmware/facepool_camera/facepool_camera.ino',
  import.meta.url,
);
const HEADERS = fileURLToPath(new URL('./firmware-headers', import.meta.url));
const skip = spawnSync('g++', ['--version']).status === 0 ? false : 'g++ is not installed';

/** What a compiler says of a sketch; empty where it has nothing to say. */
function complaints(sketch: string): string {
  const options = ['-std=gnu++17', '-fsyntax-only', '-Wall', '-Wextra', '-I', HEADERS, '-x', 'c++', '-'];
  return spawnSync('g++', options, {
    input: sketch,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  }).stderr;
}

test('the sketch for the ESP32-CAM is read by a compiler without a complaint', { skip }, () => {
  assert.equal(complaints(readFileSync(SKETCH, 'utf8')), '');
});

test('a misspelt call or field, and a number printed as something else, are found', { skip }, () => {
  const sketch = readFileSync(SKETCH, 'utf8');
  for (const [right, wrong] of [
    ['esp_camera_fb_return(frame)', 'esp_camera_fb_release(frame)'],
    ['status.raw_gma', 'status.gamma'],
    ['config.grab_mode', 'config.grab'],
    ['Serial.printf("frame: %d\\n", status)', 'Serial.printf("frame: %s\\n", status)'],
  ] as const) {
    assert.ok(sketch.includes(right));
    assert.notEqual(complaints(sketch.replace(right, wrong)), '', wrong);
  }
});
