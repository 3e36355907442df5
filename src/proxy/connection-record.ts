import type { Candidate } from '../balancing/candidate.ts';
import { formatAddress } from '../core/address.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type {
  ConnectionTls,
  DialAttempt,
  Observer,
  ProxyHeaderRefusedEvent,
  TlsFailedEvent,
} from '../core/observer.ts';
import type { ProxyEndpoint } from '../core/proxy-header.ts';
import type { TlsPeer } from '../transport/engine.ts';

/** How a connection ended. */
export interface Ending {
  readonly endedBy: EndedBy;
  readonly reason: CloseReason;
  /** The candidate that carried it; undefined when none did. */
  readonly candidate: Candidate | undefined;
  /** A side ended without the close_notify of TLS. */
  readonly unclean: boolean;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  /** From accept until a candidate answered, or until giving up. */
  readonly dialMs: number;
}

/** How a dial failed: as in {@link DialFailedEvent}. */
export interface DialFailure {
  readonly errno: string;
  readonly ms: number;
  readonly refusal: string | undefined;
}

/** What is told about one connection: gathered while it lives, reported as events. */
export class ConnectionRecord {
  readonly id: number;
  readonly acceptedAt = performance.now();
  readonly #service: string;
  readonly #observer: Observer;
  readonly #attempts: DialAttempt[] = [];
  #client: string;
  #via: string | undefined;
  #tls: TlsPeer | undefined;

  constructor(options: {
    readonly id: number;
    readonly client: string;
    readonly service: string;
    readonly observer: Observer;
  }) {
    this.id = options.id;
    this.#client = options.client;
    this.#service = options.service;
    this.#observer = options.observer;
  }

  get client(): string {
    return this.#client;
  }

  get via(): string | undefined {
    return this.#via;
  }

  /** Who connected to us carries the connection of another. @param client address of that one */
  carried(client: ProxyEndpoint): void {
    this.#via = this.#client;
    this.#client = formatAddress({ kind: 'tcp', host: client.ip, port: client.port });
  }

  /** Candidates tried so far. */
  get attempts(): number {
    return this.#attempts.length;
  }

  /** The same in the order tried; it grows. */
  get history(): readonly DialAttempt[] {
    return this.#attempts;
  }

  get tls(): ConnectionTls | undefined {
    const tls = this.#tls;
    return tls && { peer: tls.name, version: tls.version, resumed: tls.resumed };
  }

  /** Of the two sides at most one speaks TLS. */
  secured(peer: TlsPeer | undefined): void {
    this.#tls ??= peer;
  }

  dialed(candidate: Candidate, ms: number): void {
    const { key } = candidate;
    this.#attempts.push({ candidate: key, outcome: 'ok', ms });
    this.#observer({ type: 'connection-established', service: this.#service, id: this.id, candidate: key, ms });
  }

  dialFailed({ key: candidate }: Candidate, { errno, ms, refusal }: DialFailure): void {
    this.#attempts.push({ candidate, outcome: errno, ms });
    const event = { type: 'dial-failed', service: this.#service, id: this.id, candidate, errno, ms } as const;
    this.#observer(refusal === undefined ? event : { ...event, refusal });
  }

  tlsFailed(failure: Omit<TlsFailedEvent, 'type' | 'service' | 'id'>): void {
    this.#observer({ type: 'tls-failed', service: this.#service, id: this.id, ...failure });
  }

  /** The client was not let in for what it sent, or did not send, as a header. */
  headerRefused(code: ProxyHeaderRefusedEvent['code']): void {
    const { id, client } = this;
    this.#observer({ type: 'proxy-header-refused', service: this.#service, id, address: client, code });
  }

  closed(ending: Ending): void {
    const { tls } = this;
    const via = this.#via;
    // Member by member: a spread costs more than all the rest, and every connection comes by here.
    const event = {
      type: 'connection-closed',
      service: this.#service,
      id: this.id,
      client: this.#client,
      candidate: ending.candidate?.key,
      bytesToCandidate: ending.bytesToCandidate,
      bytesToClient: ending.bytesToClient,
      dialMs: ending.dialMs,
      totalMs: performance.now() - this.acceptedAt,
      endedBy: ending.endedBy,
      reason: ending.reason,
      attempts: this.#attempts,
    } as const;
    if (via === undefined && tls === undefined) this.#observer(event);
    else {
      const unclean = ending.unclean && ({ unclean: true } as const);
      this.#observer({ ...event, ...(via !== undefined && { via }), ...(tls && { tls }), ...unclean });
    }
  }
}
