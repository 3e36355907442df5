import { networkInterfaces } from 'node:os';

/** What this machine can send from. */
interface Reach {
  readonly v4: boolean;
  readonly loopback6: boolean;
  readonly unique6: boolean;
  readonly global6: boolean;
}

/**
 * Addresses of both families in the order to try them: those that this machine can have a source address for come
 * first; among these IPv6 before IPv4, and IPv4 before unique local addresses (RFC 6724). Otherwise each family keeps
 * the order that its registry gave.
 */
export function inOrder(v4: readonly string[], v6: readonly string[], reach = reachOf()): readonly string[] {
  if (v4.length === 0) return v6;
  if (v6.length === 0) return v4;
  const ranked = [...v6, ...v4].map((ip) => ({ ip, rank: rankOf(ip, reach) }));
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ ip }) => ip);
}

function rankOf(ip: string, reach: Reach): number {
  if (!ip.includes(':')) return reach.v4 || ip.startsWith('127.') ? 1 : 3;
  if (ip === '::1') return reach.loopback6 ? 0 : 4;
  if (/^f[cd]/i.test(ip)) return reach.unique6 || reach.global6 ? 2 : 4;
  return reach.global6 ? 0 : 4;
}

function reachOf(): Reach {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const v6 = all.filter(({ family, address }) => family === 'IPv6' && !/^fe[89ab]/i.test(address));
  const outside = v6.filter(({ internal }) => !internal);
  return {
    v4: all.some(({ family, internal }) => family === 'IPv4' && !internal),
    loopback6: v6.some(({ address }) => address === '::1'),
    unique6: outside.some(({ address }) => /^f[cd]/i.test(address)),
    global6: outside.some(({ address }) => !/^f[cd]/i.test(address)),
  };
}
