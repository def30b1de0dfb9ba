/** Which places the server may be sent to by a request, and which addresses those may have. */
import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';

export interface UrlPolicy {
  /** Host names and addresses that requests may name, lower case, without ports; empty: any. */
  readonly hosts: readonly string[];
  /** Whether a host that nobody named in the settings may have a private address. */
  readonly allowPrivate: boolean;
}

/** An address that nobody outside should make us talk to. Its message may be shown. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
}

/** What is not the public Internet: IANA's special-purpose registries for IPv4 and IPv6, multicast included. */
const SPECIAL_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;
/** Public unicast is 2000::/3; within it, what embeds or stands for something else. */
const SPECIAL_IPV6 = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const special = new BlockList();
for (const [net, prefix] of SPECIAL_IPV4) special.addSubnet(net, prefix, 'ipv4');
const specialIpv6 = new BlockList();
for (const [net, prefix] of SPECIAL_IPV6) specialIpv6.addSubnet(net, prefix, 'ipv6');

/** Whether an address, as the resolver writes it, belongs to the public Internet. IPv4 in IPv6 clothes does not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return family === 6 ? !specialIpv6.check(address, 'ipv6') : !special.check(address, 'ipv4');
}

/** The host of a URL, without the brackets of IPv6. */
export function hostOf(url: URL): string {
  const host = url.hostname.toLowerCase();
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIPv6(bare) ? bare : bare.replace(/\.$/, '');
}

/** An http or https URL, or null. */
export function httpUrl(text: string): URL | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url : null;
}

export const isHostAllowed = ({ hosts }: UrlPolicy, url: URL): boolean =>
  hosts.length === 0 || hosts.includes(hostOf(url));

/**
 * The connection goes to the very address that was checked: a name that resolves to something else a moment later does not matter.
 * Hosts that the settings name may have any address.
 * @throws ForbiddenAddressError for a literal address that is not allowed
 */
export function guardedLookup(policy: UrlPolicy, url: URL): LookupFunction | undefined {
  if (policy.allowPrivate || policy.hosts.includes(hostOf(url))) return undefined;
  if (isIP(hostOf(url)) !== 0 && !isPublicAddress(hostOf(url)))
    throw new ForbiddenAddressError('the address is not a public one');
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      // One bad address among good ones is no accident either.
      if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address)))
        return callback(
          new ForbiddenAddressError('the name stands for an address that is not public'),
          '',
          0,
        );
      if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}
