import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { ModelFile } from './manifest.ts';

/** Where fetched models live: `<dataDir>/models`. */
export function modelsFolder(dataDir: string): string {
  return join(dataDir, 'models');
}

export function modelPath(dataDir: string, file: ModelFile): string {
  return join(modelsFolder(dataDir), file.fileName);
}

export type FileState = 'verified' | 'missing' | 'wrong_size' | 'wrong_hash' | 'unreadable';

export interface Verification {
  readonly state: FileState;
  /** One sentence for a person: what is there and what was expected. */
  readonly message: string;
}

/**
 * Compares a file with its description, reading it once in pieces. Never throws: whatever is wrong with the file is the answer.
 */
export async function verifyModel(path: string, file: ModelFile): Promise<Verification> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > file.sizeBytes) break;
      hash.update(chunk);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? { state: 'missing', message: `${path} is not there` }
      : { state: 'unreadable', message: `${path} cannot be read: ${message}` };
  }
  if (sizeBytes !== file.sizeBytes) {
    const found = sizeBytes > file.sizeBytes ? 'more' : `${sizeBytes}`;
    return { state: 'wrong_size', message: `${path}: expected ${file.sizeBytes} bytes, found ${found}` };
  }
  const sha256 = hash.digest('hex');
  return sha256 === file.sha256
    ? { state: 'verified', message: `${path} is verified` }
    : { state: 'wrong_hash', message: `${path}: expected SHA-256 ${file.sha256}, found ${sha256}` };
}
