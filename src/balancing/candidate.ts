import type { Address } from '../core/address.ts';

/** One member of a pool. The same object for as long as the member stays, so it can be compared by identity. */
export interface Candidate {
  readonly address: Address;
  /** Canonical text of the address: its identity, and its label in logs and metrics. */
  readonly key: string;
  /** Connections that it carries, or that are being dialed to it. */
  readonly open: number;
}

/** How a candidate stands, for status and metrics. */
export interface CandidateStatus {
  readonly key: string;
  /** `aside`: it failed too often to be used while there are others; `trial`: one connection is finding out whether it still does. */
  readonly state: 'available' | 'aside' | 'trial';
  /** Connect failures in a row. */
  readonly fails: number;
  /** Why the last of them failed; missing when the last attempt succeeded, or there was none. */
  readonly lastErrno?: string;
  /** Connections that it carries, or that are being dialed to it. */
  readonly open: number;
}
