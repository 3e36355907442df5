import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerPolicy } from '../identity/material.ts';

/** Who may be at the other end. */
export interface PeerCheck {
  readonly policy: PeerPolicy;
  /** How a log names a peer. */
  readonly nameOf: (certificate: X509Certificate) => string | undefined;
  /** Default: nobody asks for common names, which are costly to read. */
  readonly commonNameOf?: ((certificate: X509Certificate) => string | undefined) | undefined;
}

/** What is known of a connection once its handshake is done. */
export interface TlsPeer {
  /** Undefined when it showed no certificate, or one without a name. */
  readonly name: string | undefined;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The handshake took up a session of before. */
  readonly resumed: boolean;
  /** It has shown a certificate, in this handshake or in that of the session. */
  readonly certified: boolean;
  readonly commonName: string | undefined;
  /** SNI, when the peer is a client that sent one. */
  readonly serverName: string | undefined;
  /** ALPN. */
  readonly protocol: string | undefined;
}

export type PeerVerdict =
  | { readonly ok: true; readonly peer: TlsPeer }
  /** `NOT_ALLOWED`: `TLS_ALLOW` does not let it in. */
  | { readonly ok: false; readonly code: string };

/**
 * Judges a peer whose chain has been verified, in this handshake or in the one of the session it resumes: a session
 * outlives what the policy or the clock say of its certificate.
 */
export function judgePeer(socket: TLSSocket, { policy, nameOf, commonNameOf }: PeerCheck): PeerVerdict {
  const certificate = socket.getPeerX509Certificate();
  if (!policy.permits(certificate)) return { ok: false, code: 'NOT_ALLOWED' };
  const resumed = socket.isSessionReused();
  if (resumed && certificate !== undefined && Date.parse(certificate.validTo) < Date.now()) {
    return { ok: false, code: 'CERT_HAS_EXPIRED' };
  }
  const peer: TlsPeer = {
    name: certificate && nameOf(certificate),
    version: socket.getProtocol() ?? 'unknown',
    resumed,
    certified: certificate !== undefined,
    commonName: certificate && commonNameOf?.(certificate),
    serverName: serverNameOf(socket),
    protocol: textOf(socket.alpnProtocol),
  };
  return { ok: true, peer };
}

/** The types have it only for the client's side. */
function serverNameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as TLSSocket & { readonly servername?: string | false | null };
  return textOf(servername);
}

/** Node says `false` where nothing was said. */
function textOf(said: string | false | null | undefined): string | undefined {
  return typeof said === 'string' && said !== '' ? said : undefined;
}
