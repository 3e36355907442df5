import type { Socket } from 'node:net';
import type { Candidate } from '../balancing/candidate.ts';
import type { Seat } from '../balancing/seat.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import { errnoOf } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import type { OpenConnection } from '../core/open-connection.ts';
import { isPeerReset, Leg, type LegOwner } from '../transport/leg.ts';
import { relay, type Relay } from '../transport/relay.ts';
import { Account, clientName } from './account.ts';
import { Entrance, type EntranceOwner, type EntranceSettings, type Refusal } from './entrance.ts';
import { Preface } from './preface.ts';
import { Search, type Found, type SearchContext, type SearchFailure, type SearchOwner } from './search.ts';
import { TimeLimits, type TimeLimitSettings } from './time-limits.ts';

/** What a connection needs of its service. One object per listener, shared by all its connections. */
export interface ConnectionContext extends SearchContext, TimeLimitSettings, EntranceSettings {
  readonly service: string;
  readonly observer: Observer;
  readonly dialing: SearchContext['dialing'];
  /** The header that candidates are sent first; default: `off`. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2' | undefined;
  /** Asks to be looked at now and then ({@link Connection.watched}). */
  watch(connection: Connection): void;
  /** Called once, when both sockets are closed. */
  closed(connection: Connection): void;
}

/**
 * How long a client that has finished without sending a byte is still dialed for. It has most likely left, but it may
 * be a half-closed one that waits for a server that speaks first; an ordinary dial is done long before.
 */
const SILENT_END_GRACE_MS = 500;

type State =
  | { readonly phase: 'entering'; readonly entrance: Entrance }
  | { readonly phase: 'searching'; readonly search: Search }
  | {
      readonly phase: 'relaying';
      readonly candidate: Candidate;
      readonly seat: Seat;
      readonly relay: Relay;
      readonly chosenAt: number;
      readonly dialMs: number;
    }
  | { readonly phase: 'closing'; readonly endedBy: EndedBy; readonly reason: CloseReason; readonly dialMs: number }
  | { readonly phase: 'new' | 'closed' };

/** One client from accept to close: (entering ->) searching -> relaying -> closing -> closed. */
export class Connection implements LegOwner, EntranceOwner, SearchOwner {
  readonly #account: Account;
  readonly #context: ConnectionContext;
  readonly #preface: Preface | undefined;
  readonly #limits: TimeLimits;
  #leg: Leg;
  #state: State = { phase: 'new' };
  #endGrace: NodeJS.Timeout | undefined;
  #isKept = false;

  constructor(options: { readonly id: number; readonly socket: Socket; readonly context: ConnectionContext }) {
    const { id, socket, context } = options;
    const { service, observer, unixClients, proxyProtocol = 'off' } = context;
    this.#context = context;
    this.#account = new Account({ id, client: unixClients ? 'unix' : clientName(socket), service, observer });
    this.#preface = proxyProtocol === 'off' ? undefined : new Preface(proxyProtocol, socket);
    this.#limits = new TimeLimits(context, this.#account.acceptedAt);
    this.#leg = new Leg(socket, this, !unixClients);
  }

  get id(): number {
    return this.#account.id;
  }

  get preface(): Buffer | undefined {
    return this.#preface?.bytes;
  }

  get client(): string {
    return this.#account.client;
  }

  /** What carries this connection, and when it was chosen (`performance.now()`); undefined before it has answered. */
  get established(): { readonly candidate: Candidate; readonly chosenAt: number } | undefined {
    return this.#state.phase === 'relaying' ? this.#state : undefined;
  }

  /** The relay that carries it; its counters move while it is open. */
  get moving(): Pick<Relay, 'bytesToCandidate' | 'bytesToClient'> | undefined {
    return this.#state.phase === 'relaying' ? this.#state.relay : undefined;
  }

  /** What is known of it now. */
  get facts(): OpenConnection {
    const { id, client, via, history, tls, acceptedAt } = this.#account;
    const { phase, candidate } = this.#place;
    return {
      service: this.#context.service,
      id,
      client,
      ...(via !== undefined && { via }),
      phase,
      candidate: candidate?.key,
      ...(tls && { tls }),
      bytesToCandidate: this.moving?.bytesToCandidate ?? 0,
      bytesToClient: this.moving?.bytesToClient ?? 0,
      ageMs: performance.now() - acceptedAt,
      attempts: [...history],
    };
  }

  /** The set has changed. */
  reconsider(): void {
    if (this.#state.phase === 'searching') this.#state.search.reconsider();
  }

  start(): void {
    // Whoever heard of it may have ended it at once.
    if (this.#state.phase !== 'new') return;
    const { accepting, acceptProxyProtocol } = this.#context;
    if (accepting === undefined && acceptProxyProtocol !== true) {
      this.#search();
      return;
    }
    const shared = { settings: this.#context, account: this.#account, preface: this.#preface };
    const entrance = new Entrance({ ...shared, leg: this.#leg, owner: this });
    this.#state = { phase: 'entering', entrance };
    entrance.start();
  }

  entered(leg: Leg): void {
    this.#take(leg);
    this.#search();
  }

  notEntered(leg: Leg, { endedBy, reason, byReset }: Refusal): void {
    this.#take(leg);
    this.#finish(endedBy, reason);
    if (leg.closed) this.legClosed();
    else if (byReset) leg.reset();
    else leg.destroy();
  }

  /** Closes a client that is not to be served at all. */
  refuse(reason: CloseReason): void {
    this.#finish('attache', reason);
    this.#leg.destroy();
  }

  /** Ends the connection at once, in whatever state it is. */
  abort(reason: CloseReason): void {
    const state = this.#state;
    if (state.phase === 'relaying') {
      state.relay.abort(reason);
      return;
    }
    if (state.phase === 'searching') state.search.abort();
    if (state.phase === 'entering') this.#take(state.entrance.abort());
    if (state.phase !== 'closed' && state.phase !== 'closing') this.#finish('attache', reason);
    this.#leg.destroy();
  }

  watched(now: number, probe: boolean): boolean {
    const state = this.#state;
    // What a client has sent may have filled the memory for it; then nothing of it is read until a candidate answers.
    if (state.phase === 'searching' && probe) this.#leg.probe();
    if (state.phase !== 'relaying') return true;
    this.#keepAlive(state.relay);
    if (probe) state.relay.probe();
    return this.#limits.watched(state.relay, now);
  }

  /** Four system calls, and none for a connection that is over before the next tick. */
  #keepAlive(relay: Relay): void {
    if (this.#isKept) return;
    this.#isKept = true;
    relay.keepAlive(this.#context.dialing.keepAliveMs);
  }

  dueAt(now: number): number {
    const relay = this.#state.phase === 'relaying' ? this.#state.relay : undefined;
    return this.#limits.dueAt(now, { relay, abort: (reason) => this.abort(reason) });
  }

  found({ candidate, seat, dialed, chosenAt }: Found): void {
    clearTimeout(this.#endGrace);
    this.#account.secured(dialed.tls);
    const now = performance.now();
    const carrier = relay({
      client: this.#leg,
      candidate: dialed.leg,
      onUneasy: () => this.#context.watch(this),
      onFailed: (side, error) => this.#sideFailed(side, error),
      onClosed: (endedBy, reason) => this.#closed(endedBy, reason, candidate),
    });
    const dialMs = now - this.#account.acceptedAt;
    this.#state = { phase: 'relaying', candidate, seat, relay: carrier, chosenAt, dialMs };
    carrier.start();
  }

  notFound(reason: SearchFailure): void {
    this.#finish(reason === 'client_gone' ? 'client' : 'attache', reason);
    this.#leg.destroy();
  }

  legEnded(leg: Leg): void {
    // Node tells of an end that it had read before the socket was destroyed, too.
    if (this.#state.phase !== 'searching') return;
    const { search } = this.#state;
    if (leg.earlyBytes === 0) this.#endGrace = setTimeout(() => this.#clientGone(), SILENT_END_GRACE_MS);
    // One that has said all it has to say may well wait for the answer; but if it has left, its place is wanted.
    else this.#endGrace = setTimeout(() => search.dontHold(), this.#context.dialing.connectTimeoutMs);
  }

  legFailed(leg: Leg, error: NodeJS.ErrnoException): void {
    if (this.#state.phase === 'closing') return;
    if (this.#state.phase === 'searching') this.#state.search.abort();
    this.#finish('client', isPeerReset(error) ? 'client_gone' : 'client_error');
    leg.destroy();
  }

  legClosed(): void {
    if (this.#state.phase === 'searching') {
      this.#state.search.abort();
      this.#finish('client', 'client_gone');
    }
    if (this.#state.phase !== 'closing') return;
    const { endedBy, reason } = this.#state;
    this.#closed(endedBy, reason);
  }

  get #place(): { readonly phase: string; readonly candidate?: Candidate | undefined } {
    const state = this.#state;
    if (state.phase === 'searching') return state.search.place;
    if (state.phase === 'entering') return state.entrance;
    return state.phase === 'relaying' ? state : { phase: state.phase };
  }

  #search(): void {
    const search = new Search({ account: this.#account, context: this.#context, owner: this });
    this.#state = { phase: 'searching', search };
    // Read from now on: only so its end is noticed.
    this.#leg.collect();
    search.start();
  }

  #take(leg: Leg): void {
    this.#leg = leg;
    leg.owner = this;
  }

  #sideFailed(side: 'client' | 'candidate', error: NodeJS.ErrnoException): void {
    const code = errnoOf(error);
    const state = this.#state;
    if (!code.startsWith('ERR_SSL_') || state.phase !== 'relaying') return;
    this.#account.tlsFailed({ side, address: side === 'client' ? this.client : state.candidate.key, code });
  }

  #clientGone(): void {
    if (this.#state.phase !== 'searching') return;
    this.#state.search.abort();
    this.#finish('client', 'client_gone');
    this.#leg.destroy();
  }

  /** The outcome is decided; what is left is the client's socket to close. */
  #finish(endedBy: EndedBy, reason: CloseReason): void {
    clearTimeout(this.#endGrace);
    this.#state = { phase: 'closing', endedBy, reason, dialMs: performance.now() - this.#account.acceptedAt };
  }

  #closed(endedBy: EndedBy, reason: CloseReason, candidate?: Candidate): void {
    const state = this.#state;
    if (state.phase !== 'relaying' && state.phase !== 'closing') return;
    this.#state = { phase: 'closed' };
    const carrier = state.phase === 'relaying' ? state.relay : undefined;
    if (state.phase === 'relaying') state.seat.leave();
    this.#account.closed({
      endedBy,
      reason,
      candidate,
      bytesToCandidate: carrier?.bytesToCandidate ?? 0,
      bytesToClient: carrier?.bytesToClient ?? 0,
      dialMs: state.dialMs,
    });
    this.#context.closed(this);
  }
}
