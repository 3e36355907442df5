/**
 * What a PROXY protocol header says (HAProxy, "The PROXY protocol, versions 1 & 2", 2020/03/05): who the client of a
 * connection is, told by a proxy in front of the first byte.
 */

/** One end of a TCP connection. */
export interface ProxyEndpoint {
  /** IPv4, or IPv6 in its one text; never IPv4 mapped into IPv6, never with a zone. */
  readonly ip: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** Both ends of the connection that a header speaks of. */
export interface ProxyEnds {
  /** The client. */
  readonly source: ProxyEndpoint;
  /** Where the client connected to. */
  readonly destination: ProxyEndpoint;
}

/** What version 2 tells of the client's TLS. */
export interface ProxyTls {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly version: string;
  /** The client showed a certificate, and it was verified. */
  readonly certified: boolean;
  /** That was in the handshake of an earlier connection, whose session this one took up. */
  readonly resumed: boolean;
  /** Of the certificate's subject. */
  readonly commonName: string | undefined;
  /** SNI. */
  readonly serverName: string | undefined;
  /** ALPN. */
  readonly protocol: string | undefined;
}

/** A header as it is sent. */
export interface ProxyHeader {
  readonly version: 'v1' | 'v2';
  /** Undefined when they are not known, or are no addresses of TCP: `UNKNOWN` in version 1, LOCAL in version 2. */
  readonly ends: ProxyEnds | undefined;
  /** Version 1 has no place for it, nor has version 2 without ends. */
  readonly tls?: ProxyTls | undefined;
}

/** What version 1 begins with. */
export const V1_START: Buffer = Buffer.from('PROXY ');
/** The longest line of version 1, with its CR LF. */
export const V1_MAX_BYTES = 107;

/** What version 2 begins with. */
export const V2_SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Signature, version and command, family and protocol, length of what follows. */
export const V2_FIXED_BYTES = 16;

/** High nibble: version 2. Low nibble: the command. */
export const V2_LOCAL = 0x20;
export const V2_PROXY = 0x21;

/** High nibble: the family. Low nibble: the protocol. */
export const V2_UNSPECIFIED = 0x00;
export const V2_TCP4 = 0x11;
export const V2_TCP6 = 0x21;

/** Types of version 2's type-length-value entries. */
export const TLV = { alpn: 0x01, authority: 0x02, crc32c: 0x03, ssl: 0x20 } as const;
/** Entries inside {@link TLV.ssl}. */
export const TLV_SSL = { version: 0x21, commonName: 0x22 } as const;
/** Bits of the client byte of {@link TLV.ssl}. */
export const SSL_CLIENT = { ssl: 0x01, certificateInConnection: 0x02, certificateInSession: 0x04 } as const;
