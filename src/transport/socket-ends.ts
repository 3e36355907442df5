import type { Socket } from 'node:net';
import { plainIp } from '../core/ip-bytes.ts';
import type { ProxyEnds } from '../core/proxy-header.ts';

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
