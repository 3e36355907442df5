import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerPolicy } from '../identity/material.ts';

/** Who may be at the other end. */
export interface PeerCheck {
  readonly policy: PeerPolicy;
  /** How a log names a peer. */
  readonly nameOf: (certificate: X509Certificate) => string | undefined;
}

/** What is known of a connection once its handshake is done. */
export interface TlsPeer {
  /** Undefined when it showed no certificate, or one without a name. */
  readonly name: string | undefined;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The handshake took up a session of before. */
  readonly resumed: boolean;
}

export type PeerVerdict =
  | { readonly ok: true; readonly peer: TlsPeer }
  /** `NOT_ALLOWED`: `TLS_ALLOW` does not let it in. */
  | { readonly ok: false; readonly code: string };

/**
 * Judges a peer whose chain has been verified, in this handshake or in the one of the session it resumes: a session
 * outlives what the policy or the clock say of its certificate.
 */
export function judgePeer(socket: TLSSocket, { policy, nameOf }: PeerCheck): PeerVerdict {
  const certificate = socket.getPeerX509Certificate();
  if (!policy.permits(certificate)) return { ok: false, code: 'NOT_ALLOWED' };
  const resumed = socket.isSessionReused();
  if (resumed && certificate !== undefined && Date.parse(certificate.validTo) < Date.now()) {
    return { ok: false, code: 'CERT_HAS_EXPIRED' };
  }
  const name = certificate && nameOf(certificate);
  return { ok: true, peer: { name, version: socket.getProtocol() ?? 'unknown', resumed } };
}
