import type { Socket } from 'node:net';
import type { Candidate } from '../balancing/candidate.ts';
import type { Selection } from '../balancing/pool.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import { errnoOf } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import type { OpenConnection } from '../core/open-connection.ts';
import { Dial, type Dialed, type DialOwner, type DialSettings, type DialStage } from '../transport/dialer.ts';
import { isPeerReset, Leg, type LegOwner } from '../transport/leg.ts';
import { relay, type Relay } from '../transport/relay.ts';
import { TlsAccept, type TlsAcceptOwner, type TlsAcceptSettings, type TlsFailure } from '../transport/tls-accept.ts';
import type { TlsPeer } from '../transport/tls-peer.ts';
import { Account, clientName } from './account.ts';

/** What a connection needs of its service. One object per listener, shared by all its connections. */
export interface ConnectionContext {
  readonly service: string;
  readonly observer: Observer;
  readonly dialing: DialSettings;
  /** Default: clients speak plainly. */
  readonly accepting?: TlsAcceptSettings | undefined;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  /** Whether clients come in over a Unix socket, where they have no address. */
  readonly unixClients: boolean;
  /** Whether a candidate is still one that this listener's clients are carried to. */
  isMember(candidate: Candidate): boolean;
  /** Called once, when both sockets are closed. */
  closed(connection: Connection): void;
}

/**
 * How long a client that has finished without sending a byte is still dialed for. It has most likely left, but it may
 * be a half-closed one that waits for a server that speaks first; an ordinary dial is done long before.
 */
const SILENT_END_GRACE_MS = 500;

type State =
  | { readonly phase: 'handshaking'; readonly accept: TlsAccept }
  | { readonly phase: 'dialing'; readonly candidate: Candidate; readonly dial: Dial; readonly since: number }
  | {
      readonly phase: 'relaying';
      readonly candidate: Candidate;
      readonly relay: Relay;
      readonly chosenAt: number;
      readonly dialMs: number;
    }
  | { readonly phase: 'closing'; readonly endedBy: EndedBy; readonly reason: CloseReason; readonly dialMs: number }
  | { readonly phase: 'selecting' | 'closed' };

/** One client from accept to close: (handshaking ->) selecting -> dialing -> (selecting -> ...) relaying -> closed. */
export class Connection implements LegOwner, DialOwner, TlsAcceptOwner {
  readonly #account: Account;
  readonly #context: ConnectionContext;
  #leg: Leg;
  readonly #selection: Selection;
  #state: State = { phase: 'selecting' };
  #silentEnd: NodeJS.Timeout | undefined;
  #progress = 0;
  #movedAt = 0;

  constructor(options: {
    readonly id: number;
    readonly socket: Socket;
    readonly selection: Selection;
    readonly context: ConnectionContext;
  }) {
    const { id, socket, selection, context } = options;
    const { service, observer, unixClients } = context;
    this.#context = context;
    this.#selection = selection;
    this.#account = new Account({ id, client: unixClients ? 'unix' : clientName(socket), service, observer });
    this.#leg = new Leg(socket, this, !unixClients);
  }

  get id(): number {
    return this.#account.id;
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
    const { id, client, attempts, tls, acceptedAt } = this.#account;
    const state = this.#state;
    return {
      service: this.#context.service,
      id,
      client,
      phase: state.phase,
      candidate: 'candidate' in state ? state.candidate.key : undefined,
      ...(tls && { tls }),
      bytesToCandidate: this.moving?.bytesToCandidate ?? 0,
      bytesToClient: this.moving?.bytesToClient ?? 0,
      ageMs: performance.now() - acceptedAt,
      attempts: [...attempts],
    };
  }

  /** The set has changed: a dial to a candidate that left is given up for the next one. */
  reconsider(): void {
    const state = this.#state;
    if (state.phase !== 'dialing' || this.#context.isMember(state.candidate)) return;
    state.dial.abort();
    this.dialFailed('REMOVED');
  }

  start(): void {
    const { accepting, unixClients } = this.#context;
    if (accepting === undefined) {
      this.#leg.peek();
      this.#dialNext();
      return;
    }
    const options = { leg: this.#leg, canReset: !unixClients, settings: accepting, owner: this };
    const accept = new TlsAccept(options);
    this.#state = { phase: 'handshaking', accept };
    accept.start();
  }

  secured(leg: Leg, peer: TlsPeer): void {
    if (this.#state.phase !== 'handshaking') return;
    this.#take(leg);
    this.#account.secured(peer);
    leg.peek();
    this.#state = { phase: 'selecting' };
    this.#dialNext();
  }

  notSecured(leg: Leg, { kind, endedBy, code, peer }: TlsFailure): void {
    this.#account.tlsFailed({ side: 'client', address: this.client, code, peer });
    this.#finish(endedBy, kind === 'peer' ? 'tls_peer_refused' : 'tls_handshake_failed');
    this.#take(leg);
    // Never the plain leg below a TLS one, see `TlsLeg.reset`.
    if (leg.closed) this.legClosed();
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
    if (state.phase === 'dialing') state.dial.abort();
    if (state.phase === 'handshaking') this.#take(state.accept.abort());
    if (state.phase !== 'closed' && state.phase !== 'closing') this.#finish('attache', reason);
    this.#leg.destroy();
  }

  sweep(now: number): void {
    // What a client has sent may have filled the memory for it; then nothing of it is read until a candidate answers.
    if (this.#state.phase === 'dialing') this.#leg.probe();
    if (this.#state.phase !== 'relaying') return;
    const { relay: moving } = this.#state;
    moving.probe();
    if (moving.progress !== this.#progress) {
      this.#progress = moving.progress;
      this.#movedAt = now;
      return;
    }
    const stillMs = now - this.#movedAt;
    const { idleTimeoutMs, halfCloseTimeoutMs } = this.#context;
    // An idle connection has nothing under way that a FIN could cut short; a half-closed one may have.
    if (idleTimeoutMs > 0 && stillMs >= idleTimeoutMs) moving.abort('idle_timeout', true);
    else if (halfCloseTimeoutMs > 0 && stillMs >= halfCloseTimeoutMs && moving.halfClosed) {
      moving.abort('half_close_timeout');
    }
  }

  dialed(dialed: Dialed): void {
    const { candidate, since, ms } = this.#attemptOver();
    if (candidate === undefined || !this.#context.isMember(candidate)) {
      // It left while it was being dialed: whoever answers there now is not ours to talk to.
      dialed.leg.destroy();
      this.#failed(candidate, 'REMOVED', ms);
      return;
    }
    this.#account.secured(dialed.tls);
    clearTimeout(this.#silentEnd);
    const now = performance.now();
    this.#movedAt = now;
    const carrier = relay({
      client: this.#leg,
      candidate: dialed.leg,
      readCandidate: dialed.read,
      onFailed: (side, error) => this.#sideFailed(side, error),
      onClosed: (endedBy, reason) => this.#closed({ endedBy, reason, candidate, carrier }),
    });
    this.#account.dialed(candidate, ms);
    this.#state = {
      phase: 'relaying',
      candidate,
      relay: carrier,
      chosenAt: since,
      dialMs: now - this.#account.acceptedAt,
    };
    carrier.start();
  }

  dialFailed(errno: string, stage: DialStage = 'connect'): void {
    const { candidate, ms } = this.#attemptOver();
    if (stage === 'handshake' && candidate !== undefined) {
      this.#account.tlsFailed({ side: 'candidate', address: candidate.key, code: errno });
    }
    this.#failed(candidate, errno, ms);
  }

  legEnded(): void {
    // Node tells of an end that it had read before the socket was destroyed, too.
    if (this.#state.phase !== 'dialing') return;
    // Only a client that has sent nothing: bytes that wait in memory hold the end back until they are read.
    this.#silentEnd = setTimeout(() => this.#clientGone(), SILENT_END_GRACE_MS);
  }

  legFailed(leg: Leg, error: NodeJS.ErrnoException): void {
    if (this.#state.phase === 'closing') return;
    if (this.#state.phase === 'dialing') this.#state.dial.abort();
    this.#finish('client', isPeerReset(error) ? 'client_gone' : 'client_error');
    leg.destroy();
  }

  legClosed(): void {
    if (this.#state.phase === 'dialing') {
      this.#state.dial.abort();
      this.#finish('client', 'client_gone');
    }
    if (this.#state.phase !== 'closing') return;
    const { endedBy, reason } = this.#state;
    this.#closed({ endedBy, reason, candidate: undefined, carrier: undefined });
  }

  #dialNext(): void {
    const candidate = this.#selection.next();
    if (candidate === undefined) {
      this.#finish('attache', this.#account.attempts.length === 0 ? 'no_candidates' : 'no_candidate_answered');
      this.#leg.destroy();
      return;
    }
    const since = performance.now();
    const dial = new Dial(candidate.address, this.#context.dialing, this);
    this.#state = { phase: 'dialing', candidate, dial, since };
    dial.start();
  }

  #attemptOver(): { candidate: Candidate | undefined; since: number; ms: number } {
    const state = this.#state;
    if (state.phase !== 'dialing') return { candidate: undefined, since: 0, ms: 0 };
    const { candidate, since } = state;
    return { candidate, since, ms: performance.now() - since };
  }

  #failed(candidate: Candidate | undefined, errno: string, ms: number): void {
    if (candidate !== undefined) this.#account.dialFailed(candidate, errno, ms);
    if (this.#state.phase === 'dialing') this.#dialNext();
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
    if (this.#state.phase !== 'dialing') return;
    this.#state.dial.abort();
    this.#finish('client', 'client_gone');
    this.#leg.destroy();
  }

  /** The outcome is decided; what is left is the client's socket to close. */
  #finish(endedBy: EndedBy, reason: CloseReason): void {
    clearTimeout(this.#silentEnd);
    this.#state = { phase: 'closing', endedBy, reason, dialMs: performance.now() - this.#account.acceptedAt };
  }

  #closed(end: {
    readonly endedBy: EndedBy;
    readonly reason: CloseReason;
    readonly candidate: Candidate | undefined;
    readonly carrier: Relay | undefined;
  }): void {
    const state = this.#state;
    if (state.phase !== 'relaying' && state.phase !== 'closing') return;
    this.#state = { phase: 'closed' };
    const { carrier, ...ending } = end;
    const bytes = { bytesToCandidate: carrier?.bytesToCandidate ?? 0, bytesToClient: carrier?.bytesToClient ?? 0 };
    this.#account.closed({ ...ending, ...bytes, dialMs: state.dialMs });
    this.#context.closed(this);
  }
}
