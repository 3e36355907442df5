import { X509Certificate } from 'node:crypto';
import type { PeerCheck, TlsPeer } from '../engine.ts';
import type { PeerVerdict } from '../peer-verdict.ts';
import type { HandshakeReport } from './handshake-report.ts';

/** What the rules of a service say about a certificate. Neither changes. */
interface JudgedCertificate {
  readonly isPermitted: boolean;
  readonly name: string | undefined;
  readonly commonName: string | undefined;
  /** `Date.now()` at which it ends. */
  readonly validUntil: number;
}

/** Reading a certificate costs more than all else that JavaScript does for a connection, and peers come again. */
const MOST_KNOWN = 1_024;

const known = new WeakMap<PeerCheck, Map<string, JudgedCertificate>>();

/**
 * Judges a peer whose chain has been verified, in this handshake or in the one of the session it resumes: a session outlives
 * what the clock says of its certificate.
 */
export function judgeReportedPeer(report: HandshakeReport, check: PeerCheck): PeerVerdict {
  const { certificate, isResumed } = report;
  const facts = certificate === undefined ? undefined : knownOf(certificate, check);
  const isPermitted = facts === undefined ? check.policy.permits(undefined) : facts.isPermitted;
  if (!isPermitted) return { ok: false, code: 'NOT_ALLOWED', peer: facts?.name };
  if (isResumed && facts !== undefined && facts.validUntil < Date.now())
    return { ok: false, code: 'CERT_HAS_EXPIRED', peer: facts.name };
  const peer: TlsPeer = {
    name: facts?.name,
    version: report.version,
    resumed: isResumed,
    certified: facts !== undefined,
    commonName: facts?.commonName,
    serverName: report.serverName,
    protocol: report.protocol,
  };
  return { ok: true, peer };
}

/** How a log names a peer that was refused. */
export function nameOfRefused({ certificate }: HandshakeReport, { nameOf }: PeerCheck): string | undefined {
  return certificate && nameOf(new X509Certificate(certificate));
}

function knownOf(der: Buffer, check: PeerCheck): JudgedCertificate {
  const all = known.get(check) ?? new Map<string, JudgedCertificate>();
  known.set(check, all);
  const key = der.toString('latin1');
  const found = all.get(key);
  if (found !== undefined) return found;
  const certificate = new X509Certificate(der);
  const facts: JudgedCertificate = {
    isPermitted: check.policy.permits(certificate),
    name: check.nameOf(certificate),
    commonName: check.commonNameOf?.(certificate),
    validUntil: Date.parse(certificate.validTo),
  };
  if (all.size >= MOST_KNOWN) all.clear();
  all.set(key, facts);
  return facts;
}
