import type { ConnectionTls, DialAttempt } from './observer.ts';

/**
 * The phase of a connection.
 *
 * - `new`: nothing was done for it yet;
 * - `header`, `handshaking`: its client's PROXY header or TLS handshake is awaited;
 * - `queued`: too many dials of its service are under way;
 * - `dialing`: a candidate is being dialed;
 * - `held`: no candidate answers, and it waits (`HOLD_TIMEOUT`);
 * - `relaying`: a candidate carries it;
 * - `closing`, `over`, `closed`: it has ended, or a part of that is done.
 */
export type ConnectionPhase =
  'new' | 'header' | 'handshaking' | 'queued' | 'dialing' | 'held' | 'relaying' | 'closing' | 'over' | 'closed';

/** An open connection. */
export interface OpenConnection {
  /** Name of its service. */
  readonly service: string;
  /** Unique in this process, ascending. */
  readonly id: number;
  /** The client's address, or the one that its PROXY header names; `unix` on a Unix socket. */
  readonly client: string;
  /** The address that connected, if a PROXY header named another address as the client. */
  readonly via?: string;
  /**
   * The phase: `header` or `handshaking`, then `queued`, `held` or `dialing`, then `relaying`, and last `closing`.
   */
  readonly phase: ConnectionPhase;
  /** The candidate that carries it, or is being dialed for it. */
  readonly candidate: string | undefined;
  /** TLS of the connection; missing on a plain connection, or before the handshake was done. */
  readonly tls?: ConnectionTls;
  /** Bytes carried to the candidate so far. */
  readonly bytesToCandidate: number;
  /** Bytes carried to the client so far. */
  readonly bytesToClient: number;
  /** Time since the accept, ms. */
  readonly ageMs: number;
  /** The finished attempts, in their order. */
  readonly attempts: readonly DialAttempt[];
}

/** What the open connections of one service carry. */
export interface ServiceTraffic {
  /** Name of the service. */
  readonly service: string;
  /** Connections of each candidate; connections without a candidate are under the empty text. */
  readonly open: ReadonlyMap<string, number>;
  /** Bytes of the open connections so far. */
  readonly bytesToCandidate: number;
  /** Bytes of the open connections so far. */
  readonly bytesToClient: number;
}
