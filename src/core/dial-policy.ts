import { isIP } from 'node:net';
import { AddressBlocks, isWithin, parseBlock, widthOf, type AddressBlock } from './address-blocks.ts';
import { embeddedIpv4, plainIp } from './ip-bytes.ts';
import { noListeners, type OwnListeners } from './own-listeners.ts';
import { refusedAddress, type RefusedAddress } from './refused-addresses.ts';

export { parseCidr } from './address-blocks.ts';

/** Decides which IP addresses a discovered candidate may have: a registry that others write must not aim us anywhere. */
export interface DialPolicy {
  /** Whether `ip` (a literal, never a name) may be dialed, at this port or, without one, at any that is not ours. */
  permits(ip: string, port?: number): boolean;
  /** Why not, with what to do when it is meant; undefined when it may be dialed. */
  refusal(ip: string, port?: number): string | undefined;
}

/** For candidates the operator typed: whatever they say. */
export const permitAll: DialPolicy = { permits: () => true, refusal: () => undefined };

/**
 * Without a list everything may be dialed but {@link refusedAddress} and our own listeners; with one, what it names. A wide
 * block does not name what is refused: only one inside the refused block does, or for a listener of ours its address and port.
 *
 * @param allow CIDR blocks, single addresses, or addresses with a port
 * @param own default: none
 * @throws RangeError that names an entry of any other form
 */
export function dialPolicy(allow: readonly string[], own: OwnListeners = noListeners): DialPolicy {
  const listed = allow.map(parseBlock);
  const anyPort = new AddressBlocks(listed.filter(({ port }) => port === undefined));
  const named = new Set(
    listed.flatMap(({ network, port }) => (port === undefined ? [] : [at(plainIp(network), port)])),
  );

  const refusal = (ip: string, port = 0): string | undefined => {
    if (isIP(ip) === 0) return 'no IP address';
    const plain = plainIp(ip);
    if (named.has(at(plain, port))) return undefined;
    if (allow.length > 0 && !anyPort.has(plain)) return 'outside DISCOVERY_ALLOW: add its network there to dial it';
    const refused = refusedAddress(plain);
    if (refused !== undefined && !isNamed(plain, refused, listed))
      return `${describe(plain, refused)}; ${nameIt(plain)}`;
    const isOwn = [plain, ...(isIP(plain) === 6 ? embeddedIpv4(plain) : [])].some((one) => own.has(one, port));
    return isOwn ? `${at(plain, port)} is a listener of this process; ${nameIt(at(plain, port))}` : undefined;
  };
  return { refusal, permits: (ip, port) => refusal(ip, port) === undefined };
}

/** Whether the list has it on purpose. What only embeds a refused address has to be named whole. */
function isNamed(ip: string, { block, isEmbedded }: RefusedAddress, listed: readonly AddressBlock[]): boolean {
  const onPurpose = isEmbedded ? { network: ip, prefix: widthOf(ip), family: 'ipv6' as const } : block;
  return listed.some((one) => one.port === undefined && isWithin(one, onPurpose) && new AddressBlocks([one]).has(ip));
}

function describe(ip: string, { what, isEmbedded }: RefusedAddress): string {
  return isEmbedded ? `${ip} holds an IPv4 address that is ${what}` : `${ip} is ${what}`;
}

function nameIt(what: string): string {
  return `name ${what} and every other allowed address in DISCOVERY_ALLOW to dial it`;
}

function at(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
