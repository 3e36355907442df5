import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type {
  AttacheEvent,
  ConnectionClosedEvent,
  ConnectionTls,
  DialAttempt,
  Observer,
  TlsFailedEvent,
} from '../core/observer.ts';
import { visible } from '../core/visible.ts';

/** A connection that has ended, as it is remembered. */
export interface FinishedConnection extends Omit<ConnectionClosedEvent, 'type' | 'attempts'> {
  /** `Date.now()`. */
  readonly closedAtMs: number;
  /** The first attempts and the last; `tried` is how many there were. */
  readonly attempts: readonly DialAttempt[];
  readonly tried: number;
  /** The last fault of TLS on it, if there was one. */
  readonly tlsFailure?: Pick<TlsFailedEvent, 'side' | 'code' | 'peer'>;
}

/** Connections that are remembered. */
export const RECORDED = 1_000;
const MAX_ATTEMPTS = 20;
/** Of open connections whose TLS has failed; each is forgotten with its connection. */
const MAX_FAILURES = 10_000;

/**
 * The flight recorder: the last connections that ended, in a ring. Its places are made once and written again and again:
 * a thousand events that live for long would cost the garbage collector a tenth of every connection.
 */
export class FlightRecorder {
  readonly #ring: RecordedConnection[] = [];
  readonly #failures = new Map<number, TlsFailedEvent>();
  #next = 0;

  readonly observer: Observer = (event) => this.#observe(event);

  /** The one with this number, if it ended recently enough. */
  find(id: number): FinishedConnection | undefined {
    const place = this.#ring.find((one) => one.id === id);
    return place && finished(place);
  }

  /** Those of the last that ended that fit, newest first; at most `limit`. */
  ended(
    fits: (connection: Pick<FinishedConnection, 'service' | 'reason'>) => boolean,
    limit: number,
  ): readonly FinishedConnection[] {
    const newestFirst = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
    return newestFirst.filter(fits).slice(0, limit).map(finished);
  }

  /** The last that ended, newest first. */
  recent(limit: number): readonly FinishedConnection[] {
    return this.ended(() => true, limit);
  }

  #observe(event: AttacheEvent): void {
    if (event.type === 'tls-failed') {
      if (this.#failures.size < MAX_FAILURES) this.#failures.set(event.id, event);
      return;
    }
    if (event.type !== 'connection-closed') return;
    const tlsFailure = this.#failures.size === 0 ? undefined : this.#failures.get(event.id);
    if (tlsFailure !== undefined) this.#failures.delete(event.id);
    const place = this.#ring[this.#next];
    if (place === undefined) this.#ring.push(write(emptyRecord(), event, tlsFailure));
    else write(place, event, tlsFailure);
    this.#next = (this.#next + 1) % RECORDED;
  }
}

interface RecordedConnection {
  service: string;
  id: number;
  client: string;
  via: string | undefined;
  candidate: string | undefined;
  tls: ConnectionTls | undefined;
  unclean: true | undefined;
  bytesToCandidate: number;
  bytesToClient: number;
  dialMs: number;
  totalMs: number;
  endedBy: EndedBy;
  reason: CloseReason;
  closedAtMs: number;
  tried: number;
  /** Of the usual one good attempt. */
  ms: number;
  /** Undefined for the usual case. */
  attempts: readonly DialAttempt[] | undefined;
  tlsFailure: TlsFailedEvent | undefined;
}

function emptyRecord(): RecordedConnection {
  return {
    service: '',
    id: -1,
    client: '',
    via: undefined,
    candidate: undefined,
    tls: undefined,
    unclean: undefined,
    bytesToCandidate: 0,
    bytesToClient: 0,
    dialMs: 0.5,
    totalMs: 0.5,
    endedBy: 'client',
    reason: 'finished',
    closedAtMs: 0.5,
    tried: 0,
    ms: 0.5,
    attempts: undefined,
    tlsFailure: undefined,
  };
}

function write(
  place: RecordedConnection,
  event: ConnectionClosedEvent,
  tlsFailure: TlsFailedEvent | undefined,
): RecordedConnection {
  const { attempts } = event;
  const only = attempts.length === 1 ? attempts[0] : undefined;
  place.service = event.service;
  place.id = event.id;
  place.client = event.client;
  place.via = event.via;
  place.candidate = event.candidate;
  place.tls = event.tls;
  place.unclean = event.unclean;
  place.bytesToCandidate = event.bytesToCandidate;
  place.bytesToClient = event.bytesToClient;
  place.dialMs = event.dialMs;
  place.totalMs = event.totalMs;
  place.endedBy = event.endedBy;
  place.reason = event.reason;
  place.closedAtMs = Date.now();
  place.tried = attempts.length;
  place.ms = only?.ms ?? 0;
  place.attempts = only?.outcome === 'ok' ? undefined : bounded(attempts);
  place.tlsFailure = tlsFailure;
  return place;
}

/** A thousand connections that each tried hundreds of dead candidates must not fill the memory. */
function bounded(attempts: readonly DialAttempt[]): readonly DialAttempt[] {
  if (attempts.length <= MAX_ATTEMPTS) return attempts;
  const half = MAX_ATTEMPTS / 2;
  return [...attempts.slice(0, half), ...attempts.slice(-half)];
}

function finished({
  via,
  tls,
  unclean,
  ms,
  attempts: told,
  tlsFailure,
  ...facts
}: RecordedConnection): FinishedConnection {
  const attempts = told ?? [{ candidate: facts.candidate ?? '', outcome: 'ok', ms }];
  const optional = { ...(via !== undefined && { via }), ...(tls && { tls }), ...(unclean && { unclean }) };
  const connection = { ...facts, attempts, ...optional };
  if (tlsFailure === undefined) return connection;
  const { side, code, peer } = tlsFailure;
  return { ...connection, tlsFailure: { side, code, ...(peer === undefined ? {} : { peer: visible(peer) }) } };
}
