import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { modelPath, modelsFolder } from '../../models/place.ts';
import {
  assertFetchFails,
  CONTENT,
  describedFile,
  filesIn,
  ModelDownload,
} from '../support/model-download.ts';

let download: ModelDownload;
beforeEach(async () => {
  download = await ModelDownload.open();
});
afterEach(() => download.close());

describe('a disk that takes nothing', () => {
  const mountable = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();
  const skip = mountable ? false : 'mounting a small disk needs root on Linux';

  test('full: nothing is left and the old file stays', { skip }, async () => {
    const file = describedFile([await download.serve((_request, response) => response.end(CONTENT))]);
    await withMount('size=128k', async () => {
      await mkdir(modelsFolder(download.dataDir));
      await writeFile(modelPath(download.dataDir, file), 'an older model');
      await assertFetchFails(download.fetch(file), 'DISK_FULL', /the disk is full; make room/);
      assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), ['net.onnx']);
      assert.equal(await readFile(modelPath(download.dataDir, file), 'utf8'), 'an older model');
    });
  });

  test('read-only', { skip }, async () => {
    await withMount('ro', () =>
      assertFetchFails(
        download.fetch(describedFile(['https://example.invalid/'])),
        'NO_PERMISSION',
        /\(EROFS\)/,
      ),
    );
  });

  const unprivileged = process.platform !== 'win32' && process.getuid?.() !== 0;
  const reason = unprivileged ? false : 'root and Windows may write everywhere';
  test('not ours', { skip: reason }, async () => {
    await mkdir(modelsFolder(download.dataDir), { mode: 0o500 });
    const promise = download.fetch(describedFile(['https://example.invalid/']));
    await assertFetchFails(promise, 'NO_PERMISSION', /\(EACCES\)/);
  });

  test('a file where the folder should be', async () => {
    await writeFile(modelsFolder(download.dataDir), '');
    const promise = download.fetch(describedFile(['https://example.invalid/']));
    await assertFetchFails(promise, 'TARGET_UNWRITABLE', /cannot be written/);
  });

  async function withMount(options: string, use: () => Promise<void>): Promise<void> {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', download.dataDir]);
    try {
      await use();
    } finally {
      execFileSync('umount', [download.dataDir]);
    }
  }

  function tryMount(): boolean {
    const folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
      execFileSync('umount', [folder]);
      return true;
    } catch {
      return false;
    } finally {
      execFileSync('rmdir', [folder]);
    }
  }
});
