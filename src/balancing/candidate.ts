import type { Endpoint } from '../core/endpoint.ts';

/**
 * One candidate of a listener, as a policy sees it; the same object for as long as it stays, so it can be compared by
 * identity.
 */
export interface Candidate extends Endpoint {
  /** Connections that the candidate carries, or that are being dialed to it. */
  readonly open: number;
}
