/** The certificate that the server shows: read and checked at the start, and again whenever its files change. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface TlsFiles {
  /** Path of a PEM file: the certificate first, then those of the authorities between it and the root. */
  readonly TLS_CERT?: string;
  /** Path of a PEM file. */
  readonly TLS_KEY?: string;
}

export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Tls {
  readonly identity: TlsIdentity;
  /**
   * Calls with the new identity once the files hold another one; files that do not fit together are told in the log and the old identity
   * stays, as both are not written at the same moment.
   * @returns how to stop
   */
  watch(use: (identity: TlsIdentity) => void): () => void;
}

export interface TlsTiming {
  readonly lookEveryMs: number;
}

/** Certificates that renew themselves do so weeks before they end. */
const TIMING: TlsTiming = { lookEveryMs: 60_000 };
const SOON_MS = 14 * 24 * 3600 * 1000;

/**
 * Null where no certificate is set: the server then speaks HTTP.
 * @throws {StartError} that says which file is wrong, and how
 */
export async function openTls(files: TlsFiles, log: Log, timing: TlsTiming = TIMING): Promise<Tls | null> {
  const { TLS_CERT: certPath, TLS_KEY: keyPath } = files;
  if (certPath === undefined && keyPath === undefined) return null;
  if (certPath === undefined || keyPath === undefined) {
    const [missing, given] = certPath === undefined ? ['TLS_CERT', 'TLS_KEY'] : ['TLS_KEY', 'TLS_CERT'];
    throw new StartError(`${missing}: expected the path of a PEM file, as ${given} is set, received nothing`);
  }
  const paths = { certPath, keyPath };
  const identity = await readIdentity(paths, log);
  let seen = await versionOf(paths);

  return {
    identity,
    watch(use) {
      const timer = setInterval(() => void look(), timing.lookEveryMs);
      timer.unref();
      async function look(): Promise<void> {
        const version = await versionOf(paths);
        if (version === seen) return;
        seen = version;
        try {
          use(await readIdentity(paths, log));
          log.info({ certPath }, 'the new certificate is in use');
        } catch (error) {
          log.error({ err: error }, 'the new certificate cannot be used: the old one stays');
        }
      }
      return () => clearInterval(timer);
    },
  };
}

interface Paths {
  readonly certPath: string;
  readonly keyPath: string;
}

async function readIdentity({ certPath, keyPath }: Paths, log: Log): Promise<TlsIdentity> {
  const [cert, key] = [await readPem('TLS_CERT', certPath), await readPem('TLS_KEY', keyPath)];
  const certificate = parsed('TLS_CERT', certPath, 'a certificate in PEM', () => new X509Certificate(cert));
  const privateKey = parsed('TLS_KEY', keyPath, 'a private key in PEM, without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw new StartError(`TLS_KEY: the key in ${keyPath} does not belong to the certificate in ${certPath}`);
  const endsInMs = Date.parse(certificate.validTo) - Date.now();
  if (endsInMs < SOON_MS)
    log.warn(
      { certPath, validTo: certificate.validTo },
      endsInMs < 0
        ? 'the certificate has ended: browsers refuse it'
        : 'the certificate ends soon: renew it, the server takes the new one by itself',
    );
  return { cert, key };
}

async function readPem(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new StartError(`${setting}: ${path} cannot be read: ${(error as Error).message}`);
  }
}

function parsed<T>(setting: string, path: string, expected: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new StartError(`${setting}: expected ${expected} in ${path}, received something else`);
  }
}

/** Changes with the files; a file that is gone for a moment is another version too. */
async function versionOf({ certPath, keyPath }: Paths): Promise<string> {
  const versions = [certPath, keyPath].map(async (path) => {
    const status = await stat(path).catch(() => null);
    return status === null ? 'none' : `${status.ino} ${status.size} ${status.mtimeMs}`;
  });
  return (await Promise.all(versions)).join(' / ');
}
