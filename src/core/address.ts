import { isIP, isIPv6, SocketAddress } from 'node:net';

/** A place to listen on or to dial: TCP host and port, or the path of a Unix socket. */
export type Address = TcpAddress | UnixAddress;

/** Host and port. */
export interface TcpAddress {
  readonly kind: 'tcp';
  /** Host name or IP literal without brackets; empty only for listening, where it means every interface. */
  readonly host: string;
  /** 1-65535, or 0 when listening (the system picks a free port). */
  readonly port: number;
}

/** The path of a Unix socket. */
export interface UnixAddress {
  readonly kind: 'unix';
  /** Absolute path of the socket, at most 107 bytes. */
  readonly path: string;
}

/**
 * The use of an address:
 * - `listen`: host may be empty, port may be 0;
 * - `candidate`: typed by the operator; an empty host is this machine, `tcp://host:port` is accepted;
 * - `discovered`: from a registry: an exact `host:port` and nothing else.
 */
export type AddressRole = 'listen' | 'candidate' | 'discovered';

/** The result of {@link parseAddress}: the address, or the expected form. */
export type ParsedAddress =
  { readonly ok: true; readonly address: Address } | { readonly ok: false; readonly reason: string };

/** Longest path that fits `sockaddr_un` on Linux, without the closing NUL. */
const MAX_UNIX_PATH_BYTES = 107;
const MAX_HOST_LENGTH = 253;
/** RFC 1123 labels; the underscore is there because compose and many registries use it. */
const HOST_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** A name whose last label is a number is a malformed IPv4 address, not a name (WHATWG URL, "ends in a number"). */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i;
const PORT = /^\d{1,5}$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
/** With a double colon, or with more colons than any other mistake has. */
const LIKE_IPV6 = /^(?=.*::|(?:[^:]*:){5})[0-9a-f:.]+$/i;
const LIKE_IPV4 = /^\d+(?:\.\d+)+$/;

/**
 * Parses one address. Never throws: `reason` says what is wrong, in words that fit behind "expected".
 *
 * @param text what was typed or read
 * @param role who wrote it, see {@link AddressRole}
 */
export function parseAddress(text: string, role: AddressRole): ParsedAddress {
  // eslint-disable-next-line no-control-regex -- control characters are what is being refused
  if (/[\s\u0000-\u001f\u007f]/.test(text)) return fault('an address without spaces or control characters');
  if (role !== 'discovered') {
    if (text.startsWith('unix:')) return parseUnix(text.slice('unix:'.length));
    if (text.startsWith('tcp://')) return parseTcp(text.slice('tcp://'.length), role);
  }
  return parseTcp(text, role);
}

/** The canonical text of an address: what logs show and what two equal addresses share. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

function parseUnix(path: string): ParsedAddress {
  if (!path.startsWith('/')) return fault('an absolute path after "unix:"');
  if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES)
    return fault(`a socket path of at most ${MAX_UNIX_PATH_BYTES} bytes`);
  return { ok: true, address: { kind: 'unix', path } };
}

function parseTcp(text: string, role: AddressRole): ParsedAddress {
  const split = splitHostPort(text);
  if (typeof split === 'string') return fault(split);
  const { host, port: portText } = split;
  if (!PORT.test(portText)) return fault('a port number from 1 to 65535 after the last colon');
  const port = Number(portText);
  if (port > 65535) return fault('a port of at most 65535');
  if (port === 0 && role !== 'listen') return fault('a port of at least 1');
  if (host === '') {
    if (role === 'discovered') return fault('a host before the colon');
    return tcp(role === 'listen' ? '' : 'localhost', port);
  }
  if (isIP(host) === 0 && LIKE_IPV4.test(host)) return fault('an IPv4 address of four numbers from 0 to 255');
  if (isIP(host) === 0 && !isHostName(host)) return fault('a host name or an IP address before the colon');
  return tcp(isIPv6(host) ? canonicalIPv6(host) : host.toLowerCase(), port);
}

function splitHostPort(text: string): { host: string; port: string } | string {
  if (SCHEME.test(text)) return 'host:port without a scheme';
  if (text.startsWith('[')) {
    const end = text.indexOf(']:');
    if (end < 0) return 'a port after "]", as in [::1]:6379';
    const host = text.slice(1, end);
    if (!isIPv6(host)) return 'an IPv6 address between the brackets';
    return host.includes('%')
      ? 'an IPv6 address between the brackets, without the zone behind "%"'
      : { host, port: text.slice(end + 2) };
  }
  const colon = text.lastIndexOf(':');
  if (colon < 0) return 'host:port';
  const host = text.slice(0, colon);
  if (host.includes(':')) return LIKE_IPV6.test(text) ? 'an IPv6 address in brackets, as in [::1]:6379' : 'host:port';
  return { host, port: text.slice(colon + 1) };
}

/** One text for each address (RFC 5952), so that the same member written twice is one member. */
function canonicalIPv6(host: string): string {
  return new SocketAddress({ address: host, family: 'ipv6' }).address;
}

function isHostName(host: string): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (name.length === 0 || name.length > MAX_HOST_LENGTH || ENDS_IN_NUMBER.test(name)) return false;
  return name.split('.').every((label) => HOST_LABEL.test(label));
}

function tcp(host: string, port: number): ParsedAddress {
  return { ok: true, address: { kind: 'tcp', host, port } };
}

function fault(reason: string): ParsedAddress {
  return { ok: false, reason };
}
