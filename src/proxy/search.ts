import type { Candidate } from '../balancing/candidate.ts';
import type { Seat } from '../balancing/seat.ts';
import type { Selection } from '../balancing/selection.ts';
import { isShortage, type Admission } from '../core/admission.ts';
import type { CloseReason } from '../core/close-reason.ts';
import { Dial, type Dialed, type DialOwner, type DialSettings, type DialStage } from '../transport/dialer.ts';
import type { Entrant, Gate } from '../transport/gate.ts';
import type { Account } from './account.ts';
import type { Held, HoldQueue } from './hold.ts';

/** What a search needs of its service. One object per listener, shared by all its connections. */
export interface SearchContext {
  readonly dialing: DialSettings;
  readonly admission: Admission;
  /** Bounds the dials of the service that are under way. */
  readonly dials: Gate;
  /** Where clients wait that no candidate answers; without it they are closed. */
  readonly hold: HoldQueue | undefined;
  readonly holdTimeoutMs: number;
  /** Begins choosing for one connection. */
  readonly select: () => Selection;
  /** Whether a candidate is still one that this listener's clients are carried to. */
  readonly isMember: (candidate: Candidate) => boolean;
}

/** A candidate that has answered. */
export interface Found {
  readonly candidate: Candidate;
  /** To be left when the connection is over. */
  readonly seat: Seat;
  readonly dialed: Dialed;
  /** When it was chosen, `performance.now()`. */
  readonly chosenAt: number;
}

/** Hears how a search ended; exactly one of the two, once, and none after `abort`. */
export interface SearchOwner {
  /** What candidates are sent ahead of everything; undefined: nothing. */
  readonly preface: Buffer | undefined;
  found(found: Found): void;
  notFound(reason: SearchFailure): void;
}

export type SearchFailure = Extract<
  CloseReason,
  | 'no_candidates'
  | 'no_candidate_answered'
  | 'out_of_resources'
  | 'too_many_dials'
  | 'hold_timeout'
  | 'hold_queue_full'
  | 'client_gone'
>;

type State =
  | {
      readonly phase: 'dialing';
      readonly selection: Selection;
      readonly candidate: Candidate;
      readonly dial: Dial;
      readonly since: number;
    }
  | { readonly phase: 'new' | 'queued' | 'held' | 'over' };

/**
 * One connection's way to a candidate: dial one after the other as the policy says; when none answers, wait with the
 * others that are held and begin anew.
 */
export class Search implements DialOwner, Entrant, Held {
  readonly id: number;
  readonly #account: Account;
  readonly #context: SearchContext;
  readonly #owner: SearchOwner;
  #state: State = { phase: 'new' };
  #isInside = false;
  #mayBeHeld: boolean;
  #isHeld = false;
  #queueTimer: NodeJS.Timeout | undefined;
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(options: { readonly account: Account; readonly context: SearchContext; readonly owner: SearchOwner }) {
    this.id = options.account.id;
    this.#account = options.account;
    this.#context = options.context;
    this.#owner = options.owner;
    this.#mayBeHeld = options.context.hold !== undefined;
  }

  /** How far it is, and whom it dials. */
  get place(): { readonly phase: string; readonly candidate?: Candidate } {
    return this.#state;
  }

  get preface(): Buffer | undefined {
    return this.#owner.preface;
  }

  start(): void {
    // Who comes while others are held waits behind them.
    if (this.#context.hold?.hasLine === true) this.#holdOn();
    else this.retry();
  }

  /** Ends it without a word. */
  abort(): void {
    const state = this.#state;
    if (state.phase === 'over') return;
    this.#end();
    if (state.phase === 'dialing') state.dial.abort();
  }

  /** The set has changed: a dial to a candidate that left is given up for the next one. */
  reconsider(): void {
    const state = this.#state;
    if (state.phase !== 'dialing' || this.#context.isMember(state.candidate)) return;
    state.dial.abort();
    this.dialFailed('REMOVED');
  }

  /** The client is not likely to be there for long: what is under way is finished, but it is not held (any longer). */
  dontHold(): void {
    this.#mayBeHeld = false;
    if (this.#state.phase === 'held') this.#fail('client_gone');
  }

  retry(): void {
    this.#state = { phase: 'queued' };
    this.#context.dials.come(this);
    if (!this.#isQueued) return;
    // Dials that come to no end must not keep others waiting for longer than such a dial takes.
    this.#queueTimer = setTimeout(onQueuedTooLong, this.#context.dialing.connectTimeoutMs, this);
  }

  enter(): void {
    this.#leaveQueue();
    this.#isInside = true;
    this.#dialNext(this.#context.select());
  }

  queuedTooLong(): void {
    this.#fail('too_many_dials');
  }

  heldTooLong(): void {
    const state = this.#state;
    this.#fail('hold_timeout');
    if (state.phase === 'dialing') state.dial.abort();
  }

  dialed(dialed: Dialed): void {
    const state = this.#state;
    if (state.phase !== 'dialing') {
      dialed.leg.destroy();
      return;
    }
    const { selection, candidate, since } = state;
    if (!this.#context.isMember(candidate)) {
      // It left while it was being dialed: whoever answers there now is not ours to talk to.
      dialed.leg.destroy();
      this.dialFailed('REMOVED');
      return;
    }
    // Whoever hears of it may change the set, or end this search, before the call returns.
    this.#state = { phase: 'new' };
    this.#account.dialed(candidate, performance.now() - since);
    const seat = selection.answered();
    if (this.#isOver || !this.#context.isMember(candidate)) {
      seat.leave();
      dialed.leg.destroy();
      if (!this.#isOver) this.#dialNext(selection);
      return;
    }
    this.#end();
    this.#owner.found({ candidate, seat, dialed, chosenAt: since });
    this.#context.hold?.answered();
  }

  dialFailed(errno: string, stage: DialStage = 'connect'): void {
    const state = this.#state;
    if (state.phase !== 'dialing') return;
    const { selection, candidate, since } = state;
    // Whoever hears of it may change the set, or end this search, before the call returns.
    this.#state = { phase: 'new' };
    if (stage === 'handshake') this.#account.tlsFailed({ side: 'candidate', address: candidate.key, code: errno });
    this.#account.dialFailed(candidate, errno, performance.now() - since);
    selection.failed(errno);
    if (this.#isOver) return;
    if (isShortage(errno)) this.#giveUp(errno);
    else this.#dialNext(selection);
  }

  get #isOver(): boolean {
    return this.#state.phase === 'over';
  }

  get #isQueued(): boolean {
    return this.#state.phase === 'queued';
  }

  #dialNext(selection: Selection): void {
    const candidate = selection.next();
    if (candidate === undefined) {
      this.#leaveGate();
      if (this.#mayBeHeld) this.#holdOn();
      else this.#fail(this.#account.attempts === 0 ? 'no_candidates' : 'no_candidate_answered');
      return;
    }
    const since = performance.now();
    const dial = new Dial(candidate.address, this.#context.dialing, this);
    this.#state = { phase: 'dialing', selection, candidate, dial, since };
    dial.start();
  }

  /** No other candidate would be reached either, and each of them would be blamed. */
  #giveUp(errno: string): void {
    this.#leaveGate();
    this.#context.admission.failed(errno);
    if (this.#isOver) return;
    if (this.#mayBeHeld) this.#holdOn();
    else this.#fail('out_of_resources');
  }

  #holdOn(): void {
    const { hold, holdTimeoutMs } = this.#context;
    if (!this.#isHeld) {
      if (hold?.enter() !== true) {
        this.#fail('hold_queue_full');
        return;
      }
      this.#isHeld = true;
      // Once for all trials: one that failed does not give it more time.
      this.#holdTimer = setTimeout(onHeldTooLong, holdTimeoutMs, this);
    }
    this.#state = { phase: 'held' };
    hold?.wait(this);
  }

  #fail(reason: SearchFailure): void {
    this.#end();
    this.#owner.notFound(reason);
  }

  #end(): void {
    this.#leaveQueue();
    if (this.#state.phase === 'dialing') this.#state.selection.release();
    this.#state = { phase: 'over' };
    this.#leaveGate();
    if (!this.#isHeld) return;
    this.#isHeld = false;
    clearTimeout(this.#holdTimer);
    this.#context.hold?.leave(this);
  }

  #leaveQueue(): void {
    if (this.#queueTimer === undefined) return;
    clearTimeout(this.#queueTimer);
    this.#queueTimer = undefined;
    this.#context.dials.giveUp(this);
  }

  #leaveGate(): void {
    if (!this.#isInside) return;
    this.#isInside = false;
    this.#context.dials.leave();
  }
}

function onQueuedTooLong(search: Search): void {
  search.queuedTooLong();
}

function onHeldTooLong(search: Search): void {
  search.heldTooLong();
}
