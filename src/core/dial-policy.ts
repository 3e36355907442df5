import { BlockList, isIP } from 'node:net';

/** Decides which IP addresses a discovered candidate may have: a registry that others write must not aim us anywhere. */
export interface DialPolicy {
  /** Whether `ip` (a literal, never a name) may be dialed. */
  permits(ip: string): boolean;
}

/** For candidates the operator typed: whatever they say. */
export const permitAll: DialPolicy = { permits: () => true };

/** Link-local ranges: cloud metadata services live there, so a registry may name them only when an operator lists them. */
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'] as const;

/**
 * @param allow CIDR blocks or single addresses; empty means everything but link-local
 * @throws RangeError when an entry is no CIDR block, naming it
 */
export function dialPolicy(allow: readonly string[]): DialPolicy {
  const listed = blockList(allow);
  if (allow.length > 0) return { permits: (ip) => contains(listed, ip) };
  const linkLocal = blockList(LINK_LOCAL);
  return { permits: (ip) => isIP(ip) !== 0 && !contains(linkLocal, ip) };
}

function blockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const { network, prefix, family } = parseCidr(block);
    list.addSubnet(network, prefix, family);
  }
  return list;
}

/**
 * Splits `10.0.0.0/8`, `fd00::/8` or a single address.
 *
 * @throws RangeError when it is none of these
 */
export function parseCidr(block: string): { network: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  const [network = '', prefixText, ...rest] = block.split('/');
  const version = isIP(network);
  const width = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? width : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (version === 0 || rest.length > 0 || !(prefix <= width)) {
    throw new RangeError(`expected a CIDR block such as 10.0.0.0/8 or fd00::/8, got "${block}"`);
  }
  return { network, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Node's BlockList judges an IPv4-mapped address (`::ffff:a9fe:a9fe`) by the IPv4 rules, as the wire does. */
function contains(list: BlockList, ip: string): boolean {
  const version = isIP(ip);
  return version !== 0 && list.check(ip, version === 4 ? 'ipv4' : 'ipv6');
}
