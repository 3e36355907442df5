import type { AttacheEvent, ConnectionClosedEvent, DialAttempt, Observer, TlsFailedEvent } from '../core/observer.ts';
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

/** The flight recorder: the last connections that ended, in a ring. */
export class FlightRecorder {
  readonly #ring: (Recorded | undefined)[] = [];
  readonly #failures = new Map<number, TlsFailedEvent>();
  #next = 0;

  readonly observer: Observer = (event) => this.#observe(event);

  /** The one with this number, if it ended recently enough. */
  find(id: number): FinishedConnection | undefined {
    const found = this.#ring.find((recorded) => recorded?.event.id === id);
    return found && finished(found);
  }

  /** The last that ended, newest first. */
  recent(limit: number): readonly FinishedConnection[] {
    const count = Math.min(limit, this.#ring.length);
    const places = Array.from({ length: count }, (_, back) => (this.#next - 1 - back + RECORDED) % RECORDED);
    return places.flatMap((place) => this.#ring[place] ?? []).map(finished);
  }

  #observe(event: AttacheEvent): void {
    if (event.type === 'tls-failed') {
      if (this.#failures.size < MAX_FAILURES) this.#failures.set(event.id, event);
      return;
    }
    if (event.type !== 'connection-closed') return;
    const tlsFailure = this.#failures.size === 0 ? undefined : this.#failures.get(event.id);
    if (tlsFailure !== undefined) this.#failures.delete(event.id);
    this.#ring[this.#next] = {
      event: bounded(event),
      closedAtMs: Date.now(),
      tried: event.attempts.length,
      tlsFailure,
    };
    this.#next = (this.#next + 1) % RECORDED;
  }
}

interface Recorded {
  readonly event: ConnectionClosedEvent;
  readonly closedAtMs: number;
  readonly tried: number;
  readonly tlsFailure: TlsFailedEvent | undefined;
}

/** A thousand connections that each tried hundreds of dead candidates must not fill the memory. */
function bounded(event: ConnectionClosedEvent): ConnectionClosedEvent {
  const { attempts } = event;
  if (attempts.length <= MAX_ATTEMPTS) return event;
  const half = MAX_ATTEMPTS / 2;
  return { ...event, attempts: [...attempts.slice(0, half), ...attempts.slice(-half)] };
}

function finished({ event, closedAtMs, tried, tlsFailure }: Recorded): FinishedConnection {
  const { service, id, client, candidate, tls, bytesToCandidate, bytesToClient, dialMs, totalMs } = event;
  const { endedBy, reason, attempts } = event;
  const [outcome, bytes] = [
    { endedBy, reason, attempts, tried },
    { bytesToCandidate, bytesToClient },
  ];
  const facts = {
    service,
    id,
    client,
    candidate,
    ...(tls && { tls }),
    ...bytes,
    dialMs,
    totalMs,
    closedAtMs,
    ...outcome,
  };
  if (tlsFailure === undefined) return facts;
  const { side, code, peer } = tlsFailure;
  return { ...facts, tlsFailure: { side, code, ...(peer === undefined ? {} : { peer: visible(peer) }) } };
}
