import { isIPv4, isIPv6 } from 'node:net';
import { crc32c } from './crc32c.ts';
import { ipv4Text, ipv6Text, plainIp } from './ip-bytes.ts';
import {
  TLV,
  V1_MAX_BYTES,
  V1_START,
  V2_FIXED_BYTES,
  V2_LOCAL,
  V2_PROXY,
  V2_SIGNATURE,
  V2_TCP4,
  V2_TCP6,
  type ProxyEnds,
} from './proxy-header.ts';
import type { ProxyHeaderFault } from './proxy-header-fault.ts';

export type ProxyHeaderRead =
  | { readonly status: 'incomplete' }
  | { readonly status: 'wrong'; readonly fault: ProxyHeaderFault }
  | {
      readonly status: 'complete';
      /** Of the header; what follows is the client's. */
      readonly bytes: number;
      /** Undefined when the header names none that are TCP's: then they are those of the connection itself. */
      readonly ends: ProxyEnds | undefined;
    };

/**
 * The longest header of version 2 that is read. Its length field allows 65,551 bytes; what proxies send is some hundred
 * bytes, or two or three thousand with a whole client certificate in it.
 */
export const V2_MAX_BYTES = 4_096;

/**
 * Reads the header at the beginning of `bytes`. It is refused with the first byte that cannot belong to one, and never
 * guessed: bytes without a header are wrong, not a connection of their own.
 *
 * @param bytes all that came so far; what follows the header is not looked at
 */
export function readProxyHeader(bytes: Buffer): ProxyHeaderRead {
  if (begins(bytes, V2_SIGNATURE)) return readV2(bytes);
  return begins(bytes, V1_START) ? readV1(bytes) : wrong('NO_HEADER');
}

const INCOMPLETE = { status: 'incomplete' } as const;
const LF = 0x0a;
const CR = 0x0d;
/** Decimal without leading zeros. */
const PORT = /^(?:0|[1-9]\d{0,4})$/;
const MAX_PORT = 65_535;
/** Bytes of both addresses and ports, by the family's nibble: AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const;
/** UNSPEC, STREAM, DGRAM. */
const MAX_PROTOCOL = 2;
const ENTRY_START_BYTES = 3;
const CRC_BYTES = 4;

function readV1(bytes: Buffer): ProxyHeaderRead {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf(LF);
  if (end < 0) return bytes.length < V1_MAX_BYTES ? INCOMPLETE : wrong('TOO_LONG');
  if (bytes[end - 1] !== CR) return wrong('MALFORMED');
  const line = bytes.toString('latin1', V1_START.length, end - 1);
  // Whatever follows it on the line is to be ignored.
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return complete(end + 1, undefined);
  const ends = endsOfLine(line);
  return ends === undefined ? wrong('MALFORMED') : complete(end + 1, ends);
}

function endsOfLine(line: string): ProxyEnds | undefined {
  const [family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (isAddress?.(source) !== true || !isAddress(destination) || more.length > 0) return undefined;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return undefined;
  return {
    source: { ip: plainIp(source), port: Number(sourcePort) },
    destination: { ip: plainIp(destination), port: Number(destinationPort) },
  };
}

function readV2(bytes: Buffer): ProxyHeaderRead {
  const [command, family] = [bytes[V2_SIGNATURE.length], bytes[V2_SIGNATURE.length + 1]];
  if (command !== undefined && command !== V2_LOCAL && command !== V2_PROXY) return wrong('MALFORMED');
  if (bytes.length < V2_FIXED_BYTES || family === undefined) return INCOMPLETE;
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(V2_FIXED_BYTES - 2);
  if (length > V2_MAX_BYTES) return wrong('TOO_LONG');
  // With LOCAL the rest says nothing, the family included.
  const addressBytes = command === V2_LOCAL ? 0 : ADDRESS_BYTES[family >>> 4];
  const isKnown = command === V2_LOCAL || (family & 0x0f) <= MAX_PROTOCOL;
  if (addressBytes === undefined || !isKnown || length < V2_FIXED_BYTES + addressBytes) return wrong('MALFORMED');
  if (bytes.length < length) return INCOMPLETE;
  if (command === V2_LOCAL) return complete(length, undefined);
  const header = bytes.subarray(0, length);
  const fault = entriesFault(header, V2_FIXED_BYTES + addressBytes);
  return fault === undefined ? complete(length, endsOfBlock(header, family)) : wrong(fault);
}

/** Entries of unknown types are passed over; a checksum is verified. */
function entriesFault(header: Buffer, start: number): ProxyHeaderFault | undefined {
  let checksumAt: number | undefined;
  let at = start;
  while (at < header.length) {
    if (at + ENTRY_START_BYTES > header.length) return 'MALFORMED';
    const valueAt = at + ENTRY_START_BYTES;
    const next = valueAt + header.readUInt16BE(at + 1);
    if (next > header.length) return 'MALFORMED';
    if (header[at] === TLV.crc32c) {
      if (checksumAt !== undefined || next - valueAt !== CRC_BYTES) return 'MALFORMED';
      checksumAt = valueAt;
    }
    at = next;
  }
  return checksumAt === undefined || isIntact(header, checksumAt) ? undefined : 'BAD_CHECKSUM';
}

/** The checksum is that of the whole header with zeros in its own place. */
function isIntact(header: Buffer, checksumAt: number): boolean {
  const zeroed = Buffer.from(header).fill(0, checksumAt, checksumAt + CRC_BYTES);
  return crc32c(zeroed) === header.readUInt32BE(checksumAt);
}

function endsOfBlock(header: Buffer, family: number): ProxyEnds | undefined {
  if (family !== V2_TCP4 && family !== V2_TCP6) return undefined;
  const size = family === V2_TCP4 ? 4 : 16;
  const ipAt = (at: number): string => {
    const bytes = header.subarray(at, at + size);
    return family === V2_TCP4 ? ipv4Text(bytes) : plainIp(ipv6Text(bytes));
  };
  const portsAt = V2_FIXED_BYTES + 2 * size;
  return {
    source: { ip: ipAt(V2_FIXED_BYTES), port: header.readUInt16BE(portsAt) },
    destination: { ip: ipAt(V2_FIXED_BYTES + size), port: header.readUInt16BE(portsAt + 2) },
  };
}

/** Whether `bytes`, as far as they go, are `start`. */
function begins(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= MAX_PORT;
}

function wrong(fault: ProxyHeaderFault): ProxyHeaderRead {
  return { status: 'wrong', fault };
}

function complete(bytes: number, ends: ProxyEnds | undefined): ProxyHeaderRead {
  return { status: 'complete', bytes, ends };
}
