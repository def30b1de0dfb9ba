/** What the settings say about the SSH tunnel, checked before anything is started. */
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { StartError } from '../errors.ts';
import { parseFingerprint } from './host-keys.ts';

export interface TunnelConfig {
  readonly PUBLIC_VPS_IP?: string;
  readonly SSH_SERVER_PORT: number;
  readonly SSH_USER?: string;
  readonly SSH_PASSWORD?: string;
  readonly SSH_PRIVATE_KEY_PATH?: string;
  readonly SSH_PASSPHRASE?: string;
  readonly SSH_HOST_KEY_SHA256?: string;
  /** Ports on the public host, as texts. */
  readonly PUBLIC_PORT: readonly string[];
}

export interface TunnelSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly privateKey?: Buffer;
  readonly passphrase?: string;
  /** Null: the first key seen is remembered. */
  readonly hostKey: string | null;
  readonly publicPorts: readonly number[];
}

/**
 * @returns null where no tunnel is wanted
 * @throws {StartError} that names the setting: no user, no way to sign in, a key that cannot be read, a port that is none
 */
export async function readTunnelSettings(config: TunnelConfig): Promise<TunnelSettings | null> {
  const {
    PUBLIC_VPS_IP: host,
    SSH_USER: user,
    SSH_PASSWORD: password,
    SSH_PRIVATE_KEY_PATH: keyPath,
  } = config;
  if (host === undefined) return null;
  if (user === undefined)
    throw new StartError('SSH_USER: expected the user of the tunnel, as PUBLIC_VPS_IP is set');
  if (password === undefined && keyPath === undefined)
    throw new StartError(
      'SSH_PASSWORD or SSH_PRIVATE_KEY_PATH: expected one of them, as PUBLIC_VPS_IP is set',
    );
  const privateKey = keyPath === undefined ? undefined : await readKey(keyPath, config.SSH_PASSPHRASE);
  return {
    host,
    port: config.SSH_SERVER_PORT,
    user,
    password,
    privateKey,
    passphrase: config.SSH_PASSPHRASE,
    hostKey: pinnedKey(config.SSH_HOST_KEY_SHA256),
    publicPorts: [...new Set(config.PUBLIC_PORT.map(portOf))],
  };
}

async function readKey(path: string, passphrase: string | undefined): Promise<Buffer> {
  const wrong = (what: string) => new StartError(`SSH_PRIVATE_KEY_PATH: ${path} ${what}`);
  const bytes = await readFile(path).catch((error: Error) => {
    throw wrong(`cannot be read: ${error.message}`);
  });
  const parsed = ssh2.utils.parseKey(bytes, passphrase);
  if (parsed instanceof Error) {
    if (/passphrase|decrypt|integrity/i.test(parsed.message))
      throw wrong('is encrypted, and SSH_PASSPHRASE does not open it');
    throw wrong(`is no private key that can be used: ${parsed.message}`);
  }
  if (![parsed].flat().some((key) => key.isPrivateKey()))
    throw wrong('is a public key, expected the private one');
  return bytes;
}

function pinnedKey(text: string | undefined): string | null {
  if (text === undefined) return null;
  const fingerprint = parseFingerprint(text);
  if (fingerprint === null)
    throw new StartError(
      'SSH_HOST_KEY_SHA256: expected a fingerprint such as SHA256:<43 characters>, as ssh-keygen -lf shows it',
    );
  return fingerprint;
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new StartError(`PUBLIC_PORT: expected ports from 1 to 65535, received ${JSON.stringify(text)}`);
  return port;
}
