import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

test('every test that SECURITY.md names exists', () => {
  const sources = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(root, 'test', file), 'utf8'))
    .join('\n');
  const rows = readFileSync(join(root, 'SECURITY.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| threat'));
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const [threat, , tests = ''] = row.slice(2, -2).split(' | ');
    const titles = [...tests.matchAll(/`([^`]+)`/g)].map(([, title]) => title!);
    assert.ok(titles.length > 0, `${threat}: no test`);
    for (const title of titles)
      assert.ok(
        sources.includes(`'${title}'`) || sources.includes(`"${title}"`),
        `${threat}: no test is called "${title}"`,
      );
  }
});
