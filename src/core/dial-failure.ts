import type { Errno } from './errors.ts';
import type { NameErrno } from './resolver.ts';

/**
 * Codes that are our own, of dials and of TLS handshakes:
 * - `TIMEOUT`: it took too long;
 * - `EOF`: the peer closed in the middle of a handshake;
 * - `NOT_ALLOWED`: no address that a registry may name, or a peer outside `TLS_ALLOW`;
 * - `NO_MATERIAL`: we have no certificate to show;
 * - `REMOVED`: the candidate left the set while it was dialed;
 * - `UNHEALTHY`: a check found that it has not the role that is wanted, while it was dialed;
 * - `CROWDED_OUT`: a client whose handshake gave way to others;
 * - `UNVERIFIED`: Node does not say what it found of the client's certificate.
 */
export type OwnCode =
  | 'TIMEOUT'
  | 'EOF'
  | 'NOT_ALLOWED'
  | 'NO_MATERIAL'
  | 'REMOVED'
  | 'UNHEALTHY'
  | 'CROWDED_OUT'
  | 'UNVERIFIED'
  | NameErrno;

/** Codes of the system and of TLS that are written out somewhere. */
type KnownCode =
  ShortageErrno | 'EADDRNOTAVAIL' | 'ECONNREFUSED' | 'CERT_HAS_EXPIRED' | 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** What the system refuses to this process, for any candidate: no fault of the candidate, and no other candidate would help. */
type ShortageErrno = 'EMFILE' | 'ENFILE' | 'ENOBUFS' | 'ENOMEM';

/** Why a dial or a handshake failed: a code of ours, or what an error carried. One that is misspelt does not compile. */
export type FailureCode = OwnCode | KnownCode | Errno;

const SHORTAGES = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'] as const satisfies readonly ShortageErrno[];

/**
 * Faults of ours, which say nothing about the candidate: it left the set or lost its role while it was dialed, there was no certificate to
 * show, its name got no turn to be looked up, or this machine had no descriptor, memory or port left for the socket.
 */
const OWN_FAULTS = [
  'REMOVED',
  'UNHEALTHY',
  'NO_MATERIAL',
  'LOOKUP_BUSY',
  'EADDRNOTAVAIL',
  ...SHORTAGES,
] as const satisfies readonly (OwnCode | KnownCode)[];

const shortages: ReadonlySet<string> = new Set(SHORTAGES);
const ownFaults: ReadonlySet<string> = new Set(OWN_FAULTS);

export function isOwnFault(code: FailureCode): boolean {
  return ownFaults.has(code);
}

/**
 * Whether a failed dial is this process's or machine's own trouble. `EADDRNOTAVAIL` is not: ports run out for one
 * destination at a time, and another candidate may well be reached.
 */
export function isShortage(code: string): boolean {
  return shortages.has(code);
}
