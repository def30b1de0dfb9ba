/** Which key a host has to show: the one that the settings pin, or the one that it showed when it was first met. */
import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** As OpenSSH writes it: `SHA256:` and 43 characters of base64. @param key the public key in SSH's wire format */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** With or without its prefix and padding, as people copy it. Null where it is none. */
export function parseFingerprint(text: string): string | null {
  const match = /^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$/i.exec(text.trim());
  return match ? `SHA256:${match[1]}` : null;
}

export interface HostKeys {
  /** What the host has to show; null where it has never been met. */
  expected(host: string, port: number): Promise<string | null>;
  /** Call only once the host has let us in. */
  remember(host: string, port: number, fingerprint: string): Promise<void>;
}

/** @param path a JSON file `{"host:port": fingerprint}`, made when there is something to remember */
export function openHostKeys(path: string): HostKeys {
  async function read(): Promise<Record<string, string>> {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as Record<string, string>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      // A file that cannot be read must not become a host that is met for the first time.
      throw new Error(`${path} cannot be read: ${(error as Error).message}`);
    }
  }
  return {
    async expected(host, port) {
      return (await read())[`${host}:${port}`] ?? null;
    },
    async remember(host, port, fingerprint) {
      const known = { ...(await read()), [`${host}:${port}`]: fingerprint };
      await writeFile(`${path}.part`, `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
      await rename(`${path}.part`, path);
    },
  };
}
