/** A small file in the place of a model's, a server on this machine that offers it, and a data folder that it is fetched into. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FetchedModel, type FetchOptions, fetchModel } from '../../models/fetch.ts';
import type { FetchErrorCode } from '../../models/fetch-error.ts';
import type { ModelFile } from '../../models/manifest.ts';

export const CONTENT = Buffer.alloc(300_000, 'weights ');

export function describedFile(urls: readonly string[] = []): ModelFile {
  const sha256 = createHash('sha256').update(CONTENT).digest('hex');
  return { fileName: 'net.onnx', sha256, sizeBytes: CONTENT.length, urls };
}

export class ModelDownload {
  readonly dataDir: string;
  #server: Server | undefined;

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async open(): Promise<ModelDownload> {
    return new ModelDownload(await mkdtemp(join(tmpdir(), 'facepool-models-')));
  }

  /** A server that answers as told; the address of one file on it. One at a time. */
  async serve(answer: RequestListener): Promise<string> {
    const started = createServer(answer);
    this.#server = started;
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}/net.onnx`;
  }

  /** From here on nobody answers. */
  async endServer(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
  }

  /** `fetchModel` into the data folder, also over plain HTTP. */
  fetch(file: ModelFile, options: FetchOptions = {}): Promise<FetchedModel> {
    return fetchModel(file, this.dataDir, { allowInsecure: true, ...options });
  }

  async close(): Promise<void> {
    await this.endServer();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

export async function assertFetchFails(
  promise: Promise<unknown>,
  code: FetchErrorCode,
  message: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error: Error & { code?: string }) => {
    assert.equal(error.name, 'ModelFetchError', error.stack);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

export const filesIn = async (folder: string): Promise<string[]> =>
  existsSync(folder) ? await readdir(folder) : [];
