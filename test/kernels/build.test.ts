import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { compileModule, moduleBuilds, modulePath } from '../../kernels/build.ts';

describe('the committed modules', () => {
  for (const build of moduleBuilds) {
    it(`${build.name}.wasm is what its sources give`, async () => {
      assert.ok(Buffer.from(await compileModule(build)).equals(readFileSync(modulePath(build.name))));
    });
  }
});
