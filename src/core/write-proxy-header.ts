import { isIPv4 } from 'node:net';
import { ipv4Bytes, ipv6Bytes } from './ip-bytes.ts';
import {
  SSL_CLIENT,
  TLV,
  TLV_SSL,
  V2_LOCAL,
  V2_PROXY,
  V2_SIGNATURE,
  V2_TCP4,
  V2_TCP6,
  V2_UNSPECIFIED,
  type ProxyEnds,
  type ProxyHeader,
  type ProxyTls,
} from './proxy-header.ts';

/**
 * The bytes of a header. Ends of two families are both told as IPv6, the IPv4 one mapped into it, as HAProxy does.
 *
 * Without ends it is `PROXY UNKNOWN` in version 1. In version 2 it is LOCAL, which a receiver must discard but for its
 * length, so that nothing is said of TLS: PROXY with AF_UNSPEC would have room for that, but HAProxy 2.6 refuses it.
 */
export function writeProxyHeader({ version, ends, tls }: ProxyHeader): Buffer {
  if (version === 'v1') return Buffer.from(lineOf(ends), 'latin1');
  return ends === undefined ? startV2(V2_LOCAL, V2_UNSPECIFIED, 0) : writeV2(ends, tls);
}

/** Longest text in an entry: more than any name of DNS or X.520, little enough for the header to stay under 1 kB. */
const MAX_TEXT_BYTES = 255;
/** For `verify`: 0 is for a certificate that was shown and verified, and only for that. */
const NOT_VERIFIED = 1;

function lineOf(ends: ProxyEnds | undefined): string {
  if (ends === undefined) return 'PROXY UNKNOWN\r\n';
  const { source, destination } = ends;
  const isV4 = inIPv4(ends);
  const text = (ip: string): string => (!isV4 && isIPv4(ip) ? `::ffff:${ip}` : ip);
  const [from, to] = [text(source.ip), text(destination.ip)];
  return `PROXY ${isV4 ? 'TCP4' : 'TCP6'} ${from} ${to} ${source.port} ${destination.port}\r\n`;
}

function writeV2(ends: ProxyEnds, tls: ProxyTls | undefined): Buffer {
  const block = Buffer.concat([addressesOf(ends), tls === undefined ? NOTHING : entriesOf(tls)]);
  return Buffer.concat([startV2(V2_PROXY, inIPv4(ends) ? V2_TCP4 : V2_TCP6, block.length), block]);
}

function startV2(command: number, family: number, length: number): Buffer {
  return Buffer.concat([V2_SIGNATURE, Buffer.from([command, family]), uint16(length)]);
}

const NOTHING = Buffer.alloc(0);

function addressesOf(ends: ProxyEnds): Buffer {
  const { source, destination } = ends;
  const bytesOf = inIPv4(ends) ? ipv4Bytes : ipv6Bytes;
  return Buffer.concat([bytesOf(source.ip), bytesOf(destination.ip), uint16(source.port), uint16(destination.port)]);
}

function entriesOf({ version, certified, resumed, commonName, serverName, protocol }: ProxyTls): Buffer {
  const shown = resumed ? SSL_CLIENT.certificateInSession : certifiedNow;
  const fixed = Buffer.alloc(5);
  fixed.writeUInt8(SSL_CLIENT.ssl | (certified ? shown : 0), 0);
  fixed.writeUInt32BE(certified ? 0 : NOT_VERIFIED, 1);
  const ssl = [fixed, textEntry(TLV_SSL.version, version), textEntry(TLV_SSL.commonName, commonName)];
  return Buffer.concat([
    textEntry(TLV.alpn, protocol),
    textEntry(TLV.authority, serverName),
    entry(TLV.ssl, Buffer.concat(ssl)),
  ]);
}

const certifiedNow = SSL_CLIENT.certificateInConnection | SSL_CLIENT.certificateInSession;

/** A text too long to be what it should be is left out rather than cut: half a name is another name. */
function textEntry(type: number, text: string | undefined): Buffer {
  const value = Buffer.from(text ?? '');
  return value.length === 0 || value.length > MAX_TEXT_BYTES ? NOTHING : entry(type, value);
}

function entry(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), uint16(value.length), value]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}

function inIPv4({ source, destination }: ProxyEnds): boolean {
  return isIPv4(source.ip) && isIPv4(destination.ip);
}
