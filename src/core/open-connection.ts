import type { ConnectionTls, DialAttempt } from './observer.ts';

/** What is known of a connection that is open. */
export interface OpenConnection {
  readonly service: string;
  /** Unique in this process, ascending. */
  readonly id: number;
  readonly client: string;
  /** Who connected to us, where a PROXY header named another as the client. */
  readonly via?: string;
  readonly phase: string;
  /** The candidate that carries it, or is being dialed for it. */
  readonly candidate: string | undefined;
  readonly tls?: ConnectionTls;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  /** Since it was accepted. */
  readonly ageMs: number;
  /** Those that are over, in the order tried. */
  readonly attempts: readonly DialAttempt[];
}

/** What the open connections of one service come to. */
export interface ServiceTraffic {
  readonly service: string;
  /** Connections of each candidate; those that none carries (yet) are under the empty text. */
  readonly open: ReadonlyMap<string, number>;
  /** So far, of the connections that are open. */
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
}
