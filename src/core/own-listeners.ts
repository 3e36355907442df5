import { isIP } from 'node:net';
import type { Address, TcpAddress } from './address.ts';
import { plainIp } from './ip-bytes.ts';

/** Whether an address is one that this process listens on itself. */
export interface OwnListeners {
  has(ip: string, port: number): boolean;
}

export interface OwnListenersOptions {
  /** As configured; port 0 and names included. */
  readonly configured: readonly Address[];
  /** Whether listeners have come since the start. */
  readonly hasChanged?: () => boolean;
  /** Where it really listens now; asked only when the system picks ports, or listeners have come. */
  readonly bound: () => readonly Address[];
  /** Addresses of this machine beside loopback. */
  readonly localIps: () => Iterable<string>;
}

/** An interface may get another address; to ask at every dial would cost more than the dial's own look-up. */
const LOCAL_MS = 1_000;

export function ownListeners({
  configured,
  bound,
  localIps,
  hasChanged = () => false,
}: OwnListenersOptions): OwnListeners {
  const tcp = configured.filter((address) => address.kind === 'tcp');
  const fixed = byPort(tcp);
  const picksPorts = tcp.some(({ port }) => port === 0);
  let local: ReadonlySet<string> = new Set();
  let localAt = Number.NEGATIVE_INFINITY;
  const isLocal = (ip: string): boolean => {
    if (isLoopback(ip)) return true;
    if (performance.now() - localAt > LOCAL_MS) {
      local = new Set([...localIps()].map(plainIp));
      localAt = performance.now();
    }
    return local.has(ip);
  };
  return {
    has(ip, port) {
      const hosts = fixed.get(port) ?? [];
      const picked =
        picksPorts || hasChanged() ? (byPort(bound().filter((one) => one.kind === 'tcp')).get(port) ?? []) : [];
      if (hosts.length === 0 && picked.length === 0) return false;
      const plain = plainIp(ip);
      return [...hosts, ...picked].some((host) => {
        if (isIP(host) !== 0 && !isWildcard(host)) return plainIp(host) === plain;
        // What a name stands for is known when it listens; it is an address of this machine in any case.
        return host === 'localhost' ? isLoopback(plain) : isLocal(plain);
      });
    },
  };
}

export const noListeners: OwnListeners = { has: () => false };

function byPort(addresses: readonly TcpAddress[]): ReadonlyMap<number, readonly string[]> {
  const hosts = new Map<number, string[]>();
  for (const { host, port } of addresses) if (port !== 0) hosts.set(port, [...(hosts.get(port) ?? []), host]);
  return hosts;
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

/** @param ip as {@link plainIp} writes it */
function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}
