import type { TLSSocket } from 'node:tls';
import type { PeerCheck, TlsPeer } from '../engine.ts';
import type { PeerVerdict } from '../peer-verdict.ts';
import { serverNameOf } from './internals.ts';

/**
 * Judges a peer whose chain has been verified, in this handshake or in the one of the session it resumes: a session
 * outlives what the policy or the clock say of its certificate.
 */
export function judgePeer(socket: TLSSocket, { policy, nameOf, commonNameOf }: PeerCheck): PeerVerdict {
  const certificate = socket.getPeerX509Certificate();
  const name = certificate && nameOf(certificate);
  if (!policy.permits(certificate)) return { ok: false, code: 'NOT_ALLOWED', peer: name };
  const resumed = socket.isSessionReused();
  if (resumed && certificate !== undefined && Date.parse(certificate.validTo) < Date.now()) {
    return { ok: false, code: 'CERT_HAS_EXPIRED', peer: name };
  }
  const peer: TlsPeer = {
    name,
    version: socket.getProtocol() ?? 'unknown',
    resumed,
    certified: certificate !== undefined,
    commonName: certificate && commonNameOf?.(certificate),
    serverName: textOf(serverNameOf(socket)),
    protocol: textOf(socket.alpnProtocol),
  };
  return { ok: true, peer };
}

/** Node says `false` where nothing was said. */
function textOf(said: string | false | null | undefined): string | undefined {
  return typeof said === 'string' && said !== '' ? said : undefined;
}
