import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HELP, runModelsCommand } from '../../models/cli.ts';
import { modelById } from '../../models/manifest.ts';
import { modelPath } from '../../models/place.ts';

const SHARED_MODELS = fileURLToPath(new URL('../../../shared/models', import.meta.url));

let dataDir: string;

async function run(...args: string[]) {
  let output = '';
  let errors = '';
  const exitCode = await runModelsCommand(args, dataDir, {
    write: (text) => {
      output += text;
    },
    writeError: (text) => {
      errors += text;
    },
    interactive: false,
  });
  return { exitCode, output, errors };
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'facepool-cli-'));
});

afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('npm run models', () => {
  test('list shows every model with its licence and whether it is here', async () => {
    const { exitCode, output } = await run('list');
    assert.equal(exitCode, 0);
    assert.match(output, /yunet-n: .*\n {2}detector; licence Apache-2.0: .*\n.*\n {2}.*323 kB: not here/);
    assert.match(output, /dlib-resnet-v1: .*\n.*\n.*\n {2}embedded, always here/);
    assert.match(output, /mobilefacenet-128: [\s\S]*only with --from/);
  });

  test('help is shown on demand, and with exit code 2 where no command is given', async () => {
    assert.deepEqual(await run('--help'), { exitCode: 0, output: HELP, errors: '' });
    assert.deepEqual(await run(), { exitCode: 2, output: HELP, errors: '' });
  });

  const mistakes: [args: string[], message: RegExp][] = [
    [['download'], /expected list, fetch or verify; received download/],
    [['fetch'], /expected the name of a pack: yunet-n, mobilefacenet-128/],
    [['fetch', 'facenet'], /no pack is named facenet/],
    [['fetch', 'dlib-resnet-v1'], /dlib-resnet-v1 is embedded/],
    [['fetch', ''], /may be yunet-n or mobilefacenet-128/],
    [['list', '--from', 'x'], /--from goes with fetch/],
    [['list', '--frm', 'x'], /--frm/],
    [['list', 'yunet'], /list takes no names/],
  ];
  for (const [args, message] of mistakes) {
    test(`${args.map((arg) => arg || "''").join(' ')} is not understood, and says why`, async () => {
      const { exitCode, errors } = await run(...args);
      assert.equal(exitCode, 2);
      assert.match(errors, message);
    });
  }

  test('fetch shows the licence before it fails on a pack that has no address', async () => {
    const { exitCode, output, errors } = await run('fetch', 'mobilefacenet-128');
    assert.equal(exitCode, 1);
    assert.match(output, /licence unknown: .*for tests only/);
    assert.match(errors, /copy it with --from <folder>/);
  });

  const skip = existsSync(SHARED_MODELS) ? false : 'no ../shared/models beside the repository';
  test('fetch --from copies a pack, named by its beginning, and verify proves it', { skip }, async () => {
    const fetched = await run('fetch', 'yunet', '--from', SHARED_MODELS);
    assert.equal(fetched.exitCode, 0, fetched.errors);
    assert.match(fetched.output, /licence Apache-2.0[\s\S]*verified, SHA-256 104ee26c/);
    const verified = await run('verify', 'yunet');
    assert.equal(verified.exitCode, 0);
    assert.match(verified.output, /yunet_n_dynamic.onnx is verified/);
    assert.match((await run('fetch', 'yunet')).output, /is here already and verified/);
  });

  test('verify passes over what is not here, unless asked for by name, and fails on what is damaged', async () => {
    assert.equal((await run('verify')).exitCode, 0);
    assert.equal((await run('verify', 'yunet')).exitCode, 1);
    await mkdir(join(dataDir, 'models'));
    await writeFile(modelPath(dataDir, modelById('yunet-n').file!), 'damaged');
    const { exitCode, errors } = await run('verify');
    assert.equal(exitCode, 1);
    assert.match(errors, /yunet-n: .*expected 322906 bytes, found 7; fetch it again/);
  });

  test('a description that is wrong is named', async () => {
    await mkdir(join(dataDir, 'models'));
    await writeFile(join(dataDir, 'models', 'ours.json'), '[]');
    const { exitCode, errors } = await run('list');
    assert.equal(exitCode, 1);
    assert.match(errors, /ours.json: the file: must be object/);
  });
});
