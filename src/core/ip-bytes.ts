import { isIPv4, SocketAddress } from 'node:net';

const MAPPED_PREFIX = '::ffff:';

/** The four bytes of an IPv4 address. */
export function ipv4Bytes(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number));
}

/** @param bytes four of them */
export function ipv4Text(bytes: Uint8Array): string {
  return bytes.join('.');
}

/**
 * The sixteen bytes of an IPv6 address, or of an IPv4 one mapped into IPv6.
 *
 * @param ip one that `net.isIP` knows, without a zone
 */
export function ipv6Bytes(ip: string): Buffer {
  const bytes = Buffer.alloc(16);
  const [head = '', tail] = (isIPv4(ip) ? MAPPED_PREFIX + ip : ip).split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  before.forEach((group, index) => bytes.writeUInt16BE(group, 2 * index));
  after.forEach((group, index) => bytes.writeUInt16BE(group, 16 - 2 * (after.length - index)));
  return bytes;
}

/** The one text of an IPv6 address (RFC 5952). @param bytes sixteen of them */
export function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/**
 * An address as it is compared and shown: IPv4 mapped into IPv6 is IPv4, IPv6 in its one text, no zone.
 *
 * @param ip one that `net.isIP` knows
 */
export function plainIp(ip: string): string {
  if (isIPv4(ip)) return ip;
  const [address = ''] = ip.split('%');
  const bytes = ipv6Bytes(address);
  return bytes.compare(MAPPED_BYTES, 0, 12, 0, 12) === 0 ? ipv4Text(bytes.subarray(12)) : ipv6Text(bytes);
}

const MAPPED_BYTES = ipv6Bytes('0.0.0.0');

function groupsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const dotted = ipv4Bytes(group);
    return [dotted.readUInt16BE(0), dotted.readUInt16BE(2)];
  });
}
