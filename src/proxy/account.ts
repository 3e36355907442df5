import type { Socket } from 'node:net';
import type { Candidate } from '../balancing/candidate.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type {
  ConnectionTls,
  DialAttempt,
  Observer,
  ProxyHeaderRefusedEvent,
  TlsFailedEvent,
} from '../core/observer.ts';
import type { ProxyEndpoint } from '../core/proxy-header.ts';
import type { TlsPeer } from '../transport/tls-peer.ts';

/** How a connection ended. */
export interface Ending {
  readonly endedBy: EndedBy;
  readonly reason: CloseReason;
  /** The candidate that carried it; undefined when none did. */
  readonly candidate: Candidate | undefined;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  /** From accept until a candidate answered, or until giving up. */
  readonly dialMs: number;
}

/** What is told about one connection: gathered while it lives, reported as events. */
export class Account {
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
    this.#client = endpointText(client.ip, client.port);
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

  dialFailed(candidate: Candidate, errno: string, ms: number): void {
    this.#attempts.push({ candidate: candidate.key, outcome: errno, ms });
    this.#observer({ type: 'dial-failed', service: this.#service, id: this.id, candidate: candidate.key, errno, ms });
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
    else this.#observer({ ...event, ...(via !== undefined && { via }), ...(tls && { tls }) });
  }
}

/** The address a client came from: `10.0.0.7:41002`, `[::1]:41002`; `unknown` when it has already gone. */
export function clientName(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return 'unknown';
  const ip = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress;
  return endpointText(ip, remotePort);
}

function endpointText(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
