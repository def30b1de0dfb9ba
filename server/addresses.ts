/** The addresses under which people and boards reach this server. */
import { networkInterfaces } from 'node:os';

/** For 0.0.0.0 and ::, every IPv4 address of this machine, the ones that other machines reach first. */
export function reachableUrls(host: string, port: number, protocol: 'http' | 'https' = 'http'): string[] {
  if (host !== '0.0.0.0' && host !== '::')
    return [`${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`];
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family }) => family === 'IPv4');
  const others = addresses.filter(({ internal }) => !internal).map(({ address }) => address);
  return [...others, '127.0.0.1'].map((address) => `${protocol}://${address}:${port}`);
}
