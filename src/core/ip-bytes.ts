import { isIPv4, SocketAddress } from 'node:net';

const MAPPED_PREFIX = '::ffff:';

/** The four bytes of an IPv4 address. */
export function ipv4Bytes(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number));
}

/** @param bytes four of them */
export function ipv4Text(bytes: Uint8Array | readonly number[]): string {
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

/**
 * The IPv4 addresses that an IPv6 address carries for somebody to unwrap: IPv4-compatible (RFC 4291), -mapped and
 * -translated (RFC 2765), NAT64 (RFC 6052, its local-use prefix of RFC 8215 at each length), 6to4 (RFC 3056), Teredo (RFC
 * 4380: server and client), ISATAP (RFC 5214).
 *
 * @param ip one that `net.isIPv6` knows, without a zone
 */
export function embeddedIpv4(ip: string): readonly string[] {
  const bytes = ipv6Bytes(ip);
  const isZero = (from: number, to: number) => bytes.subarray(from, to).every((byte) => byte === 0);
  const text = (...places: readonly number[]) => ipv4Text(places.map((place) => bytes[place] ?? 0));
  const last = text(12, 13, 14, 15);
  // `::` and `::1` are addresses of their own.
  if (isZero(0, 12)) return isZero(12, 15) ? [] : [last];
  if (isZero(0, 10) && bytes.readUInt16BE(10) === 0xffff) return [last];
  if (isZero(0, 8) && bytes.readUInt32BE(8) === 0xffff0000) return [last];
  const isIsatap = (bytes.readUInt32BE(8) & 0xfcffffff) === 0x00005efe;
  const isatap = isIsatap ? [last] : [];
  if (bytes.readUInt32BE(0) === 0x0064ff9b) {
    if (isZero(4, 12)) return [last];
    if (bytes.readUInt16BE(4) !== 1) return isatap;
    return [last, text(6, 7, 9, 10), text(7, 9, 10, 11), text(9, 10, 11, 12)].filter((one) => !one.startsWith('0.'));
  }
  if (bytes.readUInt16BE(0) === 0x2002) return [text(2, 3, 4, 5), ...isatap];
  if (bytes.readUInt32BE(0) === 0x20010000) {
    const client = ipv4Text(bytes.subarray(12).map((byte) => byte ^ 0xff));
    return [text(4, 5, 6, 7), client];
  }
  return isatap;
}
