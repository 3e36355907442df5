import type { Candidate } from '../balancing/candidate.ts';
import type { LoadTicket } from '../balancing/load-ticket.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import { containing, type Contained } from '../core/contained.ts';
import { isPeerReset } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import { hasPassed, type OwnDials, type Passage } from '../core/own-dials.ts';
import type { ConnectionPhase, OpenConnection } from '../core/open-connection.ts';
import type { ProxyEnds } from '../core/proxy-header.ts';
import type {
  Client,
  ClientOwner,
  Handshake,
  HandshakeOwner,
  HandshakeSettings,
  Rejection,
  Relay,
  TlsPeer,
} from '../transport/engine.ts';
import { ConnectionRecord } from './connection-record.ts';
import { refusalOf } from './refusal.ts';
import { Preface } from './preface.ts';
import { Search, type SearchResult, type SearchContext, type SearchFailure, type SearchOwner } from './search.ts';
import { TimeLimits, type TimeLimitSettings } from './time-limits.ts';

/** What a connection needs of its service. One object per listener, shared by all its connections. */
export interface ConnectionContext extends SearchContext, TimeLimitSettings {
  readonly service: string;
  readonly observer: Observer;
  /** The listener: no connection comes in by it twice. */
  readonly door: object;
  /** Shared by all services of the process. */
  readonly ownDials: OwnDials;
  /** What a client has to show before a candidate is looked for. */
  readonly handshake: HandshakeSettings;
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
  | { readonly phase: 'handshaking'; readonly handshake: Handshake }
  | { readonly phase: 'searching'; readonly search: Search }
  | {
      readonly phase: 'relaying';
      readonly candidate: Candidate;
      readonly ticket: LoadTicket;
      readonly relay: Relay;
      readonly chosenAt: number;
      readonly dialMs: number;
    }
  | { readonly phase: 'closing'; readonly endedBy: EndedBy; readonly reason: CloseReason; readonly dialMs: number }
  | { readonly phase: 'new' | 'closed' };

/** One client from accept to close: (handshaking ->) searching -> relaying -> closing -> closed. */
export class Connection implements ClientOwner, HandshakeOwner, SearchOwner, Contained {
  readonly #record: ConnectionRecord;
  readonly #context: ConnectionContext;
  readonly #preface: Preface | undefined;
  readonly #limits: TimeLimits;
  readonly #client: Client;
  #state: State = { phase: 'new' };
  #endGrace: NodeJS.Timeout | undefined;
  #isKept = false;
  #cameBy: Passage | undefined;
  /** Its dial, where that ends at a listener of this process. */
  #home: ProxyEnds | undefined;
  #isHalfTold = false;
  #isFaulted = false;

  constructor(options: { readonly id: number; readonly client: Client; readonly context: ConnectionContext }) {
    const { id, client, context } = options;
    const { service, observer, proxyProtocol = 'off' } = context;
    this.#context = context;
    this.#client = client;
    this.#record = new ConnectionRecord({ id, client: client.name, service, observer });
    this.#preface = proxyProtocol === 'off' ? undefined : new Preface(proxyProtocol, client.ends);
    this.#limits = new TimeLimits(context, this.#record.acceptedAt);
    client.owner = this;
  }

  get id(): number {
    return this.#record.id;
  }

  get preface(): Buffer | undefined {
    return this.#preface?.bytes;
  }

  get client(): string {
    return this.#record.client;
  }

  /** What carries this connection, and when it was chosen (`performance.now()`); undefined before it has answered. */
  get established(): { readonly candidate: Candidate; readonly chosenAt: number } | undefined {
    return this.#state.phase === 'relaying' ? this.#state : undefined;
  }

  /** The relay that carries it; its counters move while it is open. */
  get moving(): Pick<Relay, 'bytesToCandidate' | 'bytesToClient'> | undefined {
    return this.#state.phase === 'relaying' ? this.#state.relay : undefined;
  }

  /** What is known about the connection now. */
  get facts(): OpenConnection {
    const { id, client, via, history, tls, acceptedAt } = this.#record;
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
    const state = this.#state;
    if (state.phase === 'searching') containing(this, () => state.search.reconsider());
  }

  start(): void {
    // An observer of the event may have ended the connection at once.
    if (this.#state.phase !== 'new') return;
    const { handshake: asked, ownDials, door } = this.#context;
    this.#cameBy = ownDials.leadingTo(this.#client);
    if (hasPassed(door, this.#cameBy)) {
      this.#refuseLoop();
      return;
    }
    const { proxyHeader, tls } = asked;
    if (tls === undefined && !proxyHeader) {
      this.#search();
      return;
    }
    const handshake = this.#client.handshake(this);
    this.#state = { phase: 'handshaking', handshake };
    handshake.start();
  }

  headerRead(ends: ProxyEnds | undefined): void {
    if (ends === undefined) return;
    this.#record.carried(ends.source);
    this.#preface?.carried(ends);
  }

  accepted(tls: TlsPeer | undefined): void {
    if (tls !== undefined) {
      this.#record.secured(tls);
      this.#preface?.secured(tls);
    }
    this.#search();
  }

  rejected(rejection: Rejection): void {
    const { endedBy, reason, byReset } = refusalOf(rejection, this.#record);
    this.#finish(endedBy, reason);
    const client = this.#client;
    if (client.closed) this.clientClosed();
    else if (byReset) client.reset();
    else client.destroy();
  }

  /** Closes a client that is not to be served at all. */
  refuse(reason: CloseReason): void {
    this.#finish('attache', reason);
    this.#client.destroy();
  }

  /** By RST: the client must not take the end for an empty answer. */
  #refuseLoop(): void {
    this.#finish('attache', 'loop');
    if (this.#client.closed) this.clientClosed();
    else this.#client.reset();
  }

  /** Ends the connection at once, in whatever state it is. */
  abort(reason: CloseReason): void {
    containing(this, () => this.#abort(reason));
  }

  #abort(reason: CloseReason): void {
    const state = this.#state;
    if (state.phase === 'relaying') {
      state.relay.abort(reason);
      return;
    }
    if (state.phase === 'searching') state.search.abort();
    if (state.phase === 'handshaking') state.handshake.abort();
    if (state.phase !== 'closed' && state.phase !== 'closing') this.#finish('attache', reason);
    this.#client.destroy();
  }

  /** Something that was done for it has thrown: it ends, and is told as a fault of ours. */
  faulted(error: unknown): void {
    // What ends it is at fault as well: nothing of ours is left to try, and somebody has to know.
    if (this.#isFaulted) throw error;
    this.#isFaulted = true;
    const { service, observer } = this.#context;
    observer({ type: 'internal-error', where: `connection ${this.id} of service ${service}`, error });
    this.abort('internal_error');
  }

  watched(now: number, probe: boolean): boolean {
    const state = this.#state;
    // What a client has sent may have filled the memory for it; then the client is not read until a candidate answers.
    if (state.phase === 'searching' && probe) this.#client.probe();
    if (state.phase !== 'relaying') return true;
    this.#keepAlive(state.relay);
    if (probe) state.relay.probe();
    this.#tellHalfClosed(state.relay, state.candidate);
    return this.#limits.watched(state.relay, now);
  }

  /** A client may keep what its candidate has ended for long, while others would know by then that it leads no more. */
  #tellHalfClosed(relay: Relay, candidate: Candidate): void {
    const { checks } = this.#context;
    if (this.#isHalfTold || checks === undefined || relay.finishedSides === 0) return;
    this.#isHalfTold = true;
    checks.halfClosed(candidate.key);
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

  dialsHome(ends: ProxyEnds): void {
    const { ownDials, door } = this.#context;
    if (this.#home !== undefined) ownDials.delete(this.#home);
    this.#home = ends;
    ownDials.add(ends, { door, before: this.#cameBy });
  }

  found({ candidate, ticket, dialed, chosenAt }: SearchResult): void {
    clearTimeout(this.#endGrace);
    this.#record.secured(dialed.tls);
    const now = performance.now();
    const carrier = this.#context.engine.relay({
      client: this.#client,
      candidate: dialed,
      onNeedsWatch: () => this.#context.watch(this),
      onFailed: (side, code) => this.#sideFailed(side, code),
      onClosed: (endedBy, reason) => this.#closed(endedBy, reason, candidate),
    });
    const dialMs = now - this.#record.acceptedAt;
    this.#state = { phase: 'relaying', candidate, ticket, relay: carrier, chosenAt, dialMs };
    carrier.start();
  }

  notFound(reason: SearchFailure): void {
    this.#finish(reason === 'client_gone' ? 'client' : 'attache', reason);
    this.#client.destroy();
  }

  clientEnded(client: Client): void {
    // It is told of an end that had been read before the client was destroyed, too.
    if (this.#state.phase !== 'searching') return;
    const { search } = this.#state;
    if (client.earlyBytes === 0) this.#endGrace = this.#later(() => this.#clientGone(), SILENT_END_GRACE_MS);
    // One that has said all it has to say may well wait for the answer; but if it has left, its place is wanted.
    else this.#endGrace = this.#later(() => search.stopHolding(), this.#context.dialing.connectTimeoutMs);
  }

  clientFailed(client: Client, errno: string): void {
    if (this.#state.phase === 'closing') return;
    if (this.#state.phase === 'searching') this.#state.search.abort();
    this.#finish('client', isPeerReset(errno) ? 'client_gone' : 'client_error');
    client.destroy();
  }

  clientClosed(): void {
    if (this.#state.phase === 'searching') {
      this.#state.search.abort();
      this.#finish('client', 'client_gone');
    }
    if (this.#state.phase !== 'closing') return;
    const { endedBy, reason } = this.#state;
    this.#closed(endedBy, reason);
  }

  get #place(): { readonly phase: ConnectionPhase; readonly candidate?: Candidate | undefined } {
    const state = this.#state;
    if (state.phase === 'searching') return state.search.place;
    if (state.phase === 'handshaking') return state.handshake;
    return state.phase === 'relaying' ? state : { phase: state.phase };
  }

  #search(): void {
    const search = new Search({ record: this.#record, context: this.#context, owner: this });
    this.#state = { phase: 'searching', search };
    // Read from now on: only so its end is noticed.
    this.#client.collect();
    search.start();
  }

  #sideFailed(side: 'client' | 'candidate', code: string): void {
    const state = this.#state;
    if (!code.startsWith('ERR_SSL_') || state.phase !== 'relaying') return;
    this.#record.tlsFailed({ side, address: side === 'client' ? this.client : state.candidate.key, code });
  }

  #later(work: () => void, ms: number): NodeJS.Timeout {
    return setTimeout(() => containing(this, work), ms);
  }

  #clientGone(): void {
    if (this.#state.phase !== 'searching') return;
    this.#state.search.abort();
    this.#finish('client', 'client_gone');
    this.#client.destroy();
  }

  /** The outcome is decided; what is left is the client's socket to close. */
  #finish(endedBy: EndedBy, reason: CloseReason): void {
    clearTimeout(this.#endGrace);
    this.#state = { phase: 'closing', endedBy, reason, dialMs: performance.now() - this.#record.acceptedAt };
  }

  #closed(endedBy: EndedBy, reason: CloseReason, candidate?: Candidate): void {
    const state = this.#state;
    if (state.phase !== 'relaying' && state.phase !== 'closing') return;
    this.#state = { phase: 'closed' };
    const carrier = state.phase === 'relaying' ? state.relay : undefined;
    if (state.phase === 'relaying') state.ticket.leave();
    if (this.#home !== undefined) this.#context.ownDials.delete(this.#home);
    this.#record.closed({
      endedBy,
      reason,
      candidate,
      unclean: carrier?.unclean ?? false,
      bytesToCandidate: carrier?.bytesToCandidate ?? 0,
      bytesToClient: carrier?.bytesToClient ?? 0,
      dialMs: state.dialMs,
    });
    this.#context.closed(this);
  }
}
