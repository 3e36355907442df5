import { BlockList, isIP } from 'node:net';

/** A CIDR block, or a single address; with a port, one address at one port. */
export interface AddressBlock {
  readonly network: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly port?: number;
}

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, a single address, or one with a port: `127.0.0.1:6380`, `[::1]:6380`.
 *
 * @throws RangeError for any other text
 */
export function parseBlock(text: string): AddressBlock {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const ip = inBrackets ?? plain ?? '';
  const version = isIP(ip);
  if (version === (inBrackets === undefined ? 4 : 6) && Number(port) >= 1 && Number(port) <= 65_535) {
    return { network: ip, prefix: widthOf(ip), family: version === 4 ? 'ipv4' : 'ipv6', port: Number(port) };
  }
  return parseCidr(text);
}

/**
 * Splits `10.0.0.0/8`, `fd00::/8` or a single address.
 *
 * @throws RangeError for any other text
 */
export function parseCidr(block: string): { network: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  const [network = '', prefixText, ...rest] = block.split('/');
  const version = isIP(network);
  const width = widthOf(network);
  const prefix = prefixText === undefined ? width : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (version === 0 || network.includes('%') || rest.length > 0 || !(prefix <= width)) {
    throw new RangeError(`expected a CIDR block such as 10.0.0.0/8 or fd00::/8, got "${block}"`);
  }
  return { network, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Whether the whole of one block lies in another. */
export function isWithin(inner: AddressBlock, outer: AddressBlock): boolean {
  return inner.prefix >= outer.prefix && new AddressBlocks([outer]).has(inner.network);
}

export function widthOf(ip: string): number {
  return isIP(ip) === 4 ? 32 : 128;
}

/** A set of blocks, whatever ports they name. */
export class AddressBlocks {
  readonly #list = new BlockList();

  constructor(blocks: readonly AddressBlock[]) {
    for (const { network, prefix, family } of blocks) this.#list.addSubnet(network, prefix, family);
  }

  /** Node's BlockList judges an IPv4-mapped address (`::ffff:a9fe:a9fe`) by the IPv4 rules, as the wire does. */
  has(ip: string): boolean {
    const version = isIP(ip);
    return version !== 0 && this.#list.check(ip, version === 4 ? 'ipv4' : 'ipv6');
  }
}
