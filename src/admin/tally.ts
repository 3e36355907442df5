import { closeReasons, type CloseReason } from '../core/close-reason.ts';
import type { AttacheEvent, ConnectionClosedEvent, DialFailedEvent, Observer } from '../core/observer.ts';
import { Buckets } from './buckets.ts';

/** What has happened to one service since the start, as plain numbers. */
export interface ServiceTally {
  readonly opened: number;
  /** Every reason there is. */
  readonly closed: ReadonlyMap<CloseReason, number>;
  /** Of connections that have ended. */
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  /** Established connections that were ended from here. */
  readonly resets: ReadonlyMap<CloseReason, number>;
  readonly connectSeconds: Buckets;
  readonly connectionSeconds: Buckets;
  /** Of those who are members now: what is kept of a candidate goes with it. */
  readonly members: ReadonlyMap<string, MemberTally>;
  readonly tlsFailures: Readonly<Record<'client' | 'candidate', ReadonlyMap<string, number>>>;
}

export interface MemberTally {
  /** Failed attempts, by errno. */
  readonly failures: ReadonlyMap<string, number>;
  readonly lastError: { readonly errno: string; readonly atMs: number } | undefined;
}

/**
 * Counts events. It is on the path of every connection, so there is nothing here but a look-up by name and numbers; whoever
 * exports them reads them when asked.
 */
export class Tally {
  readonly #services = new Map<string, MutableTally>();

  get services(): ReadonlyMap<string, ServiceTally> {
    return this.#services;
  }

  readonly observer: Observer = (event) => this.#observe(event);

  #observe(event: AttacheEvent): void {
    if (event.type === 'connection-opened') this.#of(event.service).opened += 1;
    else if (event.type === 'connection-established') {
      this.#of(event.service).connectSeconds.add(event.ms / 1_000);
    } else if (event.type === 'connection-closed') this.#closed(event);
    else if (event.type === 'dial-failed') this.#dialFailed(event);
    else if (event.type === 'tls-failed') count(this.#of(event.service).tlsFailures[event.side], event.code);
    else if (event.type === 'candidates-changed') {
      const { members } = this.#of(event.service);
      for (const key of event.removed) members.delete(key);
      for (const key of event.added) members.set(key, { failures: new Map(), lastError: undefined });
    }
  }

  #closed({
    service,
    reason,
    endedBy,
    candidate,
    totalMs,
    bytesToCandidate,
    bytesToClient,
  }: ConnectionClosedEvent): void {
    const tally = this.#of(service);
    tally.closed.set(reason, (tally.closed.get(reason) ?? 0) + 1);
    if (endedBy === 'attache' && candidate !== undefined) tally.resets.set(reason, (tally.resets.get(reason) ?? 0) + 1);
    tally.bytesToCandidate += bytesToCandidate;
    tally.bytesToClient += bytesToClient;
    tally.connectionSeconds.add(totalMs / 1_000);
  }

  /** A dial that outlived its candidate's membership is counted nowhere: nothing would ever take it away again. */
  #dialFailed({ service, candidate, errno }: DialFailedEvent): void {
    const member = this.#of(service).members.get(candidate);
    if (member === undefined) return;
    count(member.failures, errno);
    member.lastError = { errno, atMs: Date.now() };
  }

  #of(service: string): MutableTally {
    let tally = this.#services.get(service);
    if (tally === undefined) {
      tally = newTally();
      this.#services.set(service, tally);
    }
    return tally;
  }
}

/** In seconds: from a neighbour on the same machine to `CONNECT_TIMEOUT`. */
const CONNECT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** In seconds: from one request to pools that stay for a day. */
const CONNECTION_BOUNDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 43_200, 86_400] as const;
/** Codes of TLS come from what peers send: a bounded number of them is told apart. */
const MAX_CODES = 32;
const OTHER = 'other';

interface MutableTally {
  opened: number;
  closed: Map<CloseReason, number>;
  bytesToCandidate: number;
  bytesToClient: number;
  resets: Map<CloseReason, number>;
  connectSeconds: Buckets;
  connectionSeconds: Buckets;
  members: Map<string, { failures: Map<string, number>; lastError: MemberTally['lastError'] }>;
  tlsFailures: Record<'client' | 'candidate', Map<string, number>>;
}

/** What can be told from the start stands at 0: a rate needs a value to rise from. */
const RESET_CAUSES: readonly CloseReason[] = [
  'membership_changed',
  'drain_timeout',
  'idle_timeout',
  'max_lifetime',
  'shutdown',
];

function newTally(): MutableTally {
  return {
    opened: 0,
    closed: new Map(closeReasons.map((reason) => [reason, 0])),
    bytesToCandidate: 0,
    bytesToClient: 0,
    resets: new Map(RESET_CAUSES.map((cause) => [cause, 0])),
    connectSeconds: new Buckets(CONNECT_BOUNDS),
    connectionSeconds: new Buckets(CONNECTION_BOUNDS),
    members: new Map(),
    tlsFailures: { client: new Map(), candidate: new Map() },
  };
}

function count(codes: Map<string, number>, code: string): void {
  const known = codes.has(code) || codes.size < MAX_CODES ? code : OTHER;
  codes.set(known, (codes.get(known) ?? 0) + 1);
}
