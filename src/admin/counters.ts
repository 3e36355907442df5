import { closeReasons, type CloseReason } from '../core/close-reason.ts';
import type {
  AttacheEvent,
  ConnectionClosedEvent,
  DialFailedEvent,
  HealthCheckedEvent,
  Observer,
} from '../core/observer.ts';
import { Buckets } from './buckets.ts';

/** Counts of one service since the start, as plain numbers. */
export interface ServiceCounters {
  /** Clients that have connected. */
  readonly opened: number;
  /** Connections that ended, by reason; every reason is present. */
  readonly closed: ReadonlyMap<CloseReason, number>;
  /** Bytes of connections that have ended. */
  readonly bytesToCandidate: number;
  /** Bytes of connections that have ended. */
  readonly bytesToClient: number;
  /** Established connections that attache ended, by cause. */
  readonly resets: ReadonlyMap<CloseReason, number>;
  /** Connections whose TLS peer ended without close_notify. */
  readonly unclean: number;
  /** Durations of successful attempts, s. */
  readonly connectSeconds: Buckets;
  /** Durations of connections that have ended, s. */
  readonly connectionSeconds: Buckets;
  /** Counts of the present members; the counts of a candidate go when it leaves. */
  readonly members: ReadonlyMap<string, MemberCounters>;
  /** Checks of candidates by result; empty without checks. */
  readonly checks: ReadonlyMap<string, number>;
  /** What they took, s. */
  readonly checkSeconds: Buckets;
  /** Failed handshakes and later faults of TLS, by side, then by code; at most 32 codes are told apart. */
  readonly tlsFailures: Readonly<Record<'client' | 'candidate', ReadonlyMap<string, number>>>;
}

/** Counts of one candidate since it joined. */
export interface MemberCounters {
  /** Failed attempts, by errno. */
  readonly failures: ReadonlyMap<string, number>;
  /** The last failed attempt, `atMs` by `Date.now()`; undefined when there was none. */
  readonly lastError: { readonly errno: string; readonly atMs: number } | undefined;
}

/**
 * Counts events by service, as plain numbers. It is on the path of every connection, so there is nothing here but a look-up
 * by name and numbers; an exporter reads them when it is asked.
 */
export class Counters {
  readonly #services = new Map<string, MutableCounters>();

  /** Counts by name of the service; a service without events is missing. */
  get services(): ReadonlyMap<string, ServiceCounters> {
    return this.#services;
  }

  /** Counts the events that it is called with; for the `observer` of an ambassador. */
  readonly observer: Observer = (event) => this.#observe(event);

  #observe(event: AttacheEvent): void {
    if (event.type === 'connection-opened') this.#of(event.service).opened += 1;
    else if (event.type === 'connection-established') {
      this.#of(event.service).connectSeconds.add(event.ms / 1_000);
    } else if (event.type === 'connection-closed') this.#closed(event);
    else if (event.type === 'health-checked') {
      const { checks, checkSeconds } = this.#of(event.service);
      if (checks.size === 0) for (const result of CHECK_RESULTS) checks.set(result, 0);
      checks.set(event.result, (checks.get(event.result) ?? 0) + 1);
      checkSeconds.add(event.ms / 1_000);
    } else if (event.type === 'dial-failed') this.#dialFailed(event);
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
    unclean,
  }: ConnectionClosedEvent): void {
    const counters = this.#of(service);
    counters.closed.set(reason, (counters.closed.get(reason) ?? 0) + 1);
    if (endedBy === 'attache' && candidate !== undefined)
      counters.resets.set(reason, (counters.resets.get(reason) ?? 0) + 1);
    counters.bytesToCandidate += bytesToCandidate;
    counters.bytesToClient += bytesToClient;
    if (unclean === true) counters.unclean += 1;
    counters.connectionSeconds.add(totalMs / 1_000);
  }

  /** A dial that outlived its candidate's membership is counted nowhere: nothing would ever take it away again. */
  #dialFailed({ service, candidate, errno }: DialFailedEvent): void {
    const member = this.#of(service).members.get(candidate);
    if (member === undefined) return;
    count(member.failures, errno);
    member.lastError = { errno, atMs: Date.now() };
  }

  #of(service: string): MutableCounters {
    let counters = this.#services.get(service);
    if (counters === undefined) {
      counters = newCounters();
      this.#services.set(service, counters);
    }
    return counters;
  }
}

/** In seconds: from a neighbour on the same machine to `CONNECT_TIMEOUT`. */
const CONNECT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** In seconds: from one request to pools that stay for a day. */
const CONNECTION_BOUNDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 43_200, 86_400] as const;
/** Codes of TLS come from what peers send: a bounded number of them is told apart. */
const MAX_CODES = 32;
const OTHER = 'other';

interface MutableCounters {
  opened: number;
  closed: Map<CloseReason, number>;
  bytesToCandidate: number;
  bytesToClient: number;
  resets: Map<CloseReason, number>;
  unclean: number;
  connectSeconds: Buckets;
  connectionSeconds: Buckets;
  checks: Map<string, number>;
  checkSeconds: Buckets;
  members: Map<string, { failures: Map<string, number>; lastError: MemberCounters['lastError'] }>;
  tlsFailures: Record<'client' | 'candidate', Map<string, number>>;
}

const CHECK_RESULTS: readonly HealthCheckedEvent['result'][] = [
  'ok',
  'refused',
  'timeout',
  'handshake',
  'answer',
  'own',
];
/** What can be told from the start stands at 0: a rate needs a value to rise from. */
const RESET_CAUSES: readonly CloseReason[] = [
  'membership_changed',
  'candidate_unhealthy',
  'drain_timeout',
  'idle_timeout',
  'max_lifetime',
  'shutdown',
];

function newCounters(): MutableCounters {
  return {
    opened: 0,
    closed: new Map(closeReasons.map((reason) => [reason, 0])),
    bytesToCandidate: 0,
    bytesToClient: 0,
    resets: new Map(RESET_CAUSES.map((cause) => [cause, 0])),
    unclean: 0,
    connectSeconds: new Buckets(CONNECT_BOUNDS),
    connectionSeconds: new Buckets(CONNECTION_BOUNDS),
    checks: new Map(),
    checkSeconds: new Buckets(CONNECT_BOUNDS),
    members: new Map(),
    tlsFailures: { client: new Map(), candidate: new Map() },
  };
}

function count(codes: Map<string, number>, code: string): void {
  const known = codes.has(code) || codes.size < MAX_CODES ? code : OTHER;
  codes.set(known, (codes.get(known) ?? 0) + 1);
}
