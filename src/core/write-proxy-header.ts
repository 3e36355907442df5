import { isIPv4 } from 'node:net';
import { ipv4Bytes, ipv6Bytes } from './ip-bytes.ts';
import {
  SSL_CLIENT,
  TLV,
  TLV_SSL,
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
 * A client of unknown address is `PROXY UNKNOWN` in version 1. In version 2 it is PROXY with AF_UNSPEC, not LOCAL: LOCAL
 * says that nobody's connection is being carried (a health check), and makes a receiver discard what is said of TLS.
 */
export function writeProxyHeader({ version, ends, tls }: ProxyHeader): Buffer {
  return version === 'v1' ? Buffer.from(lineOf(ends), 'latin1') : writeV2(ends, tls);
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

function writeV2(ends: ProxyEnds | undefined, tls: ProxyTls | undefined): Buffer {
  const family = ends === undefined ? V2_UNSPECIFIED : inIPv4(ends) ? V2_TCP4 : V2_TCP6;
  const block = Buffer.concat([addressesOf(ends), tls === undefined ? NOTHING : entriesOf(tls)]);
  return Buffer.concat([V2_SIGNATURE, Buffer.from([V2_PROXY, family]), uint16(block.length), block]);
}

const NOTHING = Buffer.alloc(0);

function addressesOf(ends: ProxyEnds | undefined): Buffer {
  if (ends === undefined) return NOTHING;
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
