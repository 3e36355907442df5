import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Family, Resolver } from '../core/resolver.ts';
import { plainIp } from '../core/ip-bytes.ts';

export interface OwnAddressOptions {
  /** `http://host:port`, tried in this order. */
  readonly urls: readonly string[];
  readonly family: Family;
  readonly resolver: Resolver;
}

/**
 * The address of this machine on the route to a registry: what it would dial from. Nothing is sent.
 *
 * @throws Error with a remedy when there is no route, or the route stays on this machine
 */
export async function ownAddress({ urls, family, resolver }: OwnAddressOptions): Promise<string> {
  let reason = 'no registry is named';
  for (const url of urls) {
    const { hostname, port } = new URL(url);
    try {
      const [ip = ''] = await resolver.resolve(hostname.replace(/^\[|\]$/g, ''), family);
      const own = plainIp(await sourceTowards(ip, Number(port) || 1));
      if (!isLoopback(own)) return own;
      reason = `the route to ${hostname} has the address ${own}, which no other machine can dial`;
    } catch (error) {
      reason = `no route to ${hostname} (${error instanceof Error ? error.message : String(error)})`;
    }
  }
  throw new Error(`the own address is not known: ${reason}; set REGISTER_ADDRESS`);
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

function sourceTowards(ip: string, port: number): Promise<string> {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  return new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(port, ip, () => resolve(socket.address().address));
  }).finally(() => socket.close());
}
