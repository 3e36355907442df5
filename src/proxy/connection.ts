import type { Socket } from 'node:net';
import type { Candidate } from '../balancing/candidate.ts';
import type { Selection } from '../balancing/pool.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type { DialAttempt, Observer } from '../core/observer.ts';
import { Dial, type Dialed, type DialOwner, type DialSettings } from '../transport/dialer.ts';
import { isPeerReset, Leg, type LegOwner } from '../transport/leg.ts';
import { relay, type Relay } from '../transport/relay.ts';

/** What a connection needs of its service. One object per listener, shared by all its connections. */
export interface ConnectionContext {
  readonly service: string;
  readonly observer: Observer;
  readonly dialing: DialSettings;
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

/** One client from accept to close: selecting -> dialing -> (selecting -> ...) relaying -> closed. */
export class Connection implements LegOwner, DialOwner {
  readonly id: number;
  readonly client: string;
  readonly acceptedAt = performance.now();
  readonly #context: ConnectionContext;
  readonly #leg: Leg;
  readonly #selection: Selection;
  readonly #attempts: DialAttempt[] = [];
  #state: State = { phase: 'selecting' };
  #silentEnd: NodeJS.Timeout | undefined;
  #progress = 0;
  #movedAt = this.acceptedAt;

  constructor(options: {
    readonly id: number;
    readonly socket: Socket;
    readonly selection: Selection;
    readonly context: ConnectionContext;
  }) {
    const { socket } = options;
    this.id = options.id;
    this.#context = options.context;
    this.#selection = options.selection;
    this.client = this.#context.unixClients ? 'unix' : clientName(socket);
    this.#leg = new Leg(socket, this, !this.#context.unixClients);
  }

  /** What carries this connection, and when it was chosen (`performance.now()`); undefined before it has answered. */
  get established(): { readonly candidate: Candidate; readonly chosenAt: number } | undefined {
    return this.#state.phase === 'relaying' ? this.#state : undefined;
  }

  /** The set has changed: a dial to a candidate that left is given up for the next one. */
  reconsider(): void {
    const state = this.#state;
    if (state.phase !== 'dialing' || this.#context.isMember(state.candidate)) return;
    state.dial.abort();
    this.dialFailed('REMOVED');
  }

  start(): void {
    this.#leg.peek();
    this.#dialNext();
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
    clearTimeout(this.#silentEnd);
    const now = performance.now();
    this.#movedAt = now;
    const carrier = relay({
      client: this.#leg,
      candidate: dialed.leg,
      readCandidate: dialed.read,
      onClosed: (endedBy, reason) => this.#closed({ endedBy, reason, candidate, carrier }),
    });
    this.#attempts.push({ candidate: candidate.key, outcome: 'ok', ms });
    this.#state = { phase: 'relaying', candidate, relay: carrier, chosenAt: since, dialMs: now - this.acceptedAt };
    carrier.start();
  }

  dialFailed(errno: string): void {
    const { candidate, ms } = this.#attemptOver();
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
    if (this.#state.phase === 'closing') this.#closed({ ...this.#state, candidate: undefined, carrier: undefined });
  }

  #dialNext(): void {
    const candidate = this.#selection.next();
    if (candidate === undefined) {
      this.#finish('attache', this.#attempts.length === 0 ? 'no_candidates' : 'no_candidate_answered');
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
    if (candidate !== undefined) {
      this.#attempts.push({ candidate: candidate.key, outcome: errno, ms });
      const { observer, service } = this.#context;
      observer({ type: 'dial-failed', service, id: this.id, candidate: candidate.key, errno, ms });
    }
    if (this.#state.phase === 'dialing') this.#dialNext();
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
    this.#state = { phase: 'closing', endedBy, reason, dialMs: performance.now() - this.acceptedAt };
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
    const { observer, service } = this.#context;
    observer({
      type: 'connection-closed',
      service,
      id: this.id,
      client: this.client,
      candidate: end.candidate?.key,
      bytesToCandidate: end.carrier?.bytesToCandidate ?? 0,
      bytesToClient: end.carrier?.bytesToClient ?? 0,
      dialMs: state.dialMs,
      totalMs: performance.now() - this.acceptedAt,
      endedBy: end.endedBy,
      reason: end.reason,
      attempts: this.#attempts,
    });
    this.#context.closed(this);
  }
}

function clientName(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  // A client that has already gone has no address any more.
  if (remoteAddress === undefined || remotePort === undefined) return 'unknown';
  const ip = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress;
  return ip.includes(':') ? `[${ip}]:${remotePort}` : `${ip}:${remotePort}`;
}
