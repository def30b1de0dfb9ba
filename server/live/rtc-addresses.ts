/** Where the media server listens for browsers, and under which addresses they are told to find it. */
import { isIP } from 'node:net';

export interface RtcListening {
  /** `announced` is what browsers are told where it is not the address itself. */
  readonly addresses: readonly { readonly ip: string; readonly announced: string | null }[];
  /** What may keep browsers from reaching it, in words for the log. */
  readonly warnings: readonly string[];
}

export interface RtcAddressOptions {
  /** Address that the server listens on: the media server does not listen wider. */
  readonly host: string;
  readonly announcedIp: string | null;
  /** IPv4 addresses of this machine, without its loopback. */
  readonly ownAddresses: readonly string[];
}

const LOOPBACK = '127.0.0.1';
const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::';

/**
 * With `ANNOUNCED_IP` every address is listened on and that one is told: behind NAT, or in a container. Without, each address of this
 * machine is told, or the one that the server is bound to.
 */
export function rtcListening({ host, announcedIp, ownAddresses }: RtcAddressOptions): RtcListening {
  const ip = host === 'localhost' ? LOOPBACK : host;
  if (announcedIp !== null) {
    const warnings = announcedIp.startsWith('127.')
      ? [`ANNOUNCED_IP is ${announcedIp}: no other machine will see a camera live by WebRTC`]
      : [];
    return { addresses: [{ ip: isIP(ip) ? ip : '0.0.0.0', announced: announcedIp }], warnings };
  }
  if (!isEverywhere(ip) && isIP(ip)) return { addresses: [{ ip, announced: null }], warnings: [] };
  if (ownAddresses.length === 0)
    return {
      addresses: [{ ip: LOOPBACK, announced: null }],
      warnings: [
        'this machine has no address but its own: browsers elsewhere need ANNOUNCED_IP to see cameras live',
      ],
    };
  return { addresses: ownAddresses.map((own) => ({ ip: own, announced: null })), warnings: [] };
}
