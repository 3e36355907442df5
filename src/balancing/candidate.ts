import type { Address } from '../core/address.ts';

/** One member of a pool. The same object for as long as the member stays, so it can be compared by identity. */
export interface Candidate {
  readonly address: Address;
  /** Canonical text of the address: its identity, and its label in logs and metrics. */
  readonly key: string;
}
