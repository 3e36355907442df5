import type { Socket } from 'node:net';
import { formatAddress } from '../../core/address.ts';
import { plainIp } from '../../core/ip-bytes.ts';
import type { ProxyEnds } from '../../core/proxy-header.ts';

/** Both ends of an accepted TCP connection; undefined for a Unix socket, or when the client has already gone. */
export function endsOf(socket: Socket): ProxyEnds | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return {
    source: { ip: plainIp(remoteAddress), port: remotePort },
    destination: { ip: plainIp(localAddress), port: localPort },
  };
}

/** The address a client came from: `10.0.0.7:41002`, `[::1]:41002`; `unknown` when it has already gone. */
export function clientName(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return 'unknown';
  const host = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress;
  return formatAddress({ kind: 'tcp', host, port: remotePort });
}
