import type { Candidate } from '../balancing/candidate.ts';
import type { LoadTicket } from '../balancing/load-ticket.ts';
import type { Selection } from '../balancing/selection.ts';
import type { CloseReason } from '../core/close-reason.ts';
import { isShortage, type FailureCode } from '../core/dial-failure.ts';
import { contained, containing, type Contained } from '../core/contained.ts';
import type { Dial, DialedCandidate, DialOwner, DialSettings, DialStage, Engine } from '../transport/engine.ts';
import type { ProxyEnds } from '../core/proxy-header.ts';
import type { Acquirer, Semaphore } from '../core/semaphore.ts';
import { TimeLimit } from '../core/time-limit.ts';
import type { Admission } from './admission.ts';
import type { ConnectionRecord } from './connection-record.ts';
import type { Held, HoldQueue } from './hold-queue.ts';

/** What a search needs of its service. One object per listener, shared by all its connections. */
export interface SearchContext {
  readonly engine: Engine;
  readonly dialing: DialSettings;
  readonly admission: Admission;
  /** Bounds the dials of the service that are under way. */
  readonly dials: Semaphore;
  /** Where clients wait that no candidate answers; without it they are closed. */
  readonly hold: HoldQueue | undefined;
  readonly holdTimeoutMs: number;
  /** Begins choosing for one connection. */
  readonly select: (client: string) => Selection;
  /** Why this listener's clients may not be carried to a candidate any more; undefined: they still may. */
  readonly lost: (candidate: Candidate) => 'REMOVED' | 'UNHEALTHY' | undefined;
  /** Whether there are candidates, and checks let none of them be dialed. */
  readonly isUnhealthy: () => boolean;
  /** Checks without whose first answers nobody may be dialed. */
  readonly checks?: ConnectionChecks | undefined;
}

/** What a connection asks of health checks, and reports to them. */
export interface ConnectionChecks {
  /** Whether nobody may be dialed only because their first answers have not come. */
  readonly isAwaited: boolean;
  /** The longest that is waited for them, ms. */
  readonly timeoutMs: number;
  wait(waiter: { answersCame(): void }): void;
  cancel(waiter: { answersCame(): void }): void;
  /** One side of a connection of `candidate` has finished. */
  halfClosed(candidate: string): void;
}

/** A candidate that has answered. */
export interface SearchResult {
  readonly candidate: Candidate;
  /** To be left when the connection is over. */
  readonly ticket: LoadTicket;
  readonly dialed: DialedCandidate;
  /** When it was chosen, `performance.now()`. */
  readonly chosenAt: number;
}

/** Hears how a search ended; exactly one of the two, once, and none after `abort`. */
export interface SearchOwner extends Contained {
  /** What candidates are sent ahead of everything; undefined: nothing. */
  readonly preface: Buffer | undefined;
  /** A dial to a listener of this process is under way. */
  dialsHome(ends: ProxyEnds): void;
  found(found: SearchResult): void;
  notFound(reason: SearchFailure): void;
}

export type SearchFailure = Extract<
  CloseReason,
  | 'no_candidates'
  | 'no_healthy_candidate'
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
export class Search implements DialOwner, Acquirer, Held {
  readonly id: number;
  readonly #record: ConnectionRecord;
  readonly #context: SearchContext;
  readonly #owner: SearchOwner;
  #state: State = { phase: 'new' };
  #isInside = false;
  #mayBeHeld: boolean;
  #isHeld = false;
  #queueLimit: TimeLimit<Search> | undefined;
  #holdLimit: TimeLimit<Search> | undefined;
  #awaitLimit: TimeLimit<Search> | undefined;

  constructor(options: {
    readonly record: ConnectionRecord;
    readonly context: SearchContext;
    readonly owner: SearchOwner;
  }) {
    this.id = options.record.id;
    this.#record = options.record;
    this.#context = options.context;
    this.#owner = options.owner;
    this.#mayBeHeld = options.context.hold !== undefined;
  }

  /** How far it is, and whom it dials. */
  get place(): { readonly phase: State['phase']; readonly candidate?: Candidate } {
    return this.#state;
  }

  get preface(): Buffer | undefined {
    return this.#owner.preface;
  }

  start(): void {
    const { checks, hold } = this.#context;
    // Who comes while others are held waits behind them.
    if (hold?.hasLine === true) this.#holdOn();
    else if (checks?.isAwaited === true) this.#await(checks);
    else this.retry();
  }

  answersCame(): void {
    this.#stopAwaiting();
    if (!this.#isOver) this.retry();
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
    if (state.phase !== 'dialing') return;
    const lost = this.#context.lost(state.candidate);
    if (lost === undefined) return;
    state.dial.abort();
    this.dialFailed(lost);
  }

  /** The client is not likely to be there for long: what is under way is finished, but it is not held (any longer). */
  stopHolding(): void {
    this.#mayBeHeld = false;
    if (this.#state.phase === 'held') this.#fail('client_gone');
  }

  faulted(error: unknown): void {
    this.#owner.faulted(error);
  }

  retry(): void {
    // Others are held, and go on whatever comes of this one.
    containing(this, () => this.#retry());
  }

  #retry(): void {
    this.#state = { phase: 'queued' };
    this.#context.dials.acquire(this);
    if (!this.#isQueued) return;
    // Dials that do not end must not keep others waiting for longer than one dial may take.
    this.#queueLimit = new TimeLimit<Search>(this.#context.dialing.connectTimeoutMs, onQueuedTooLong, this);
  }

  granted(): void {
    this.#leaveQueue();
    this.#isInside = true;
    this.#dialNext(this.#context.select(this.#record.client));
  }

  queuedTooLong(): void {
    this.#fail('too_many_dials');
  }

  heldTooLong(): void {
    const state = this.#state;
    this.#fail('hold_timeout');
    if (state.phase === 'dialing') state.dial.abort();
  }

  dialsHome(ends: ProxyEnds): void {
    this.#owner.dialsHome(ends);
  }

  dialed(dialed: DialedCandidate): void {
    const state = this.#state;
    if (state.phase !== 'dialing') {
      dialed.destroy();
      return;
    }
    const { selection, candidate, since } = state;
    const lost = this.#context.lost(candidate);
    if (lost !== undefined) {
      // It left the set while it was being dialed: another server may answer there now.
      dialed.destroy();
      this.dialFailed(lost);
      return;
    }
    // An observer of this event may change the set, or end this search, before the call returns.
    this.#state = { phase: 'new' };
    this.#record.dialed(candidate, performance.now() - since);
    const ticket = selection.answered();
    if (this.#isOver || this.#context.lost(candidate) !== undefined) {
      ticket.leave();
      dialed.destroy();
      if (!this.#isOver) this.#dialNext(selection);
      return;
    }
    this.#end();
    this.#owner.found({ candidate, ticket, dialed, chosenAt: since });
    this.#context.hold?.answered();
  }

  dialFailed(errno: FailureCode, stage: DialStage = 'connect', refusal?: string): void {
    const state = this.#state;
    if (state.phase !== 'dialing') return;
    const { selection, candidate, since } = state;
    // An observer of this event may change the set, or end this search, before the call returns.
    this.#state = { phase: 'new' };
    if (stage === 'handshake') this.#record.tlsFailed({ side: 'candidate', address: candidate.key, code: errno });
    this.#record.dialFailed(candidate, { errno, ms: performance.now() - since, refusal });
    selection.failed(errno);
    if (this.#isOver) return;
    if (isShortage(errno)) this.#giveUp(errno);
    else this.#dialNext(selection);
  }

  get #isOver(): boolean {
    return this.#state.phase === 'over';
  }

  get #whyNobody(): SearchFailure {
    if (this.#record.attempts > 0) return 'no_candidate_answered';
    return this.#context.isUnhealthy() ? 'no_healthy_candidate' : 'no_candidates';
  }

  get #isQueued(): boolean {
    return this.#state.phase === 'queued';
  }

  #dialNext(selection: Selection): void {
    const candidate = selection.next();
    if (candidate === undefined) {
      this.#leaveGate();
      if (this.#mayBeHeld) this.#holdOn();
      else this.#fail(this.#whyNobody);
      return;
    }
    const since = performance.now();
    const { engine, dialing } = this.#context;
    const dial = engine.dial(candidate.address, dialing, this);
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
      if (hold?.join() !== true) {
        this.#fail('hold_queue_full');
        return;
      }
      this.#isHeld = true;
      // Once for all trials: one that failed does not give it more time.
      this.#holdLimit = new TimeLimit<Search>(holdTimeoutMs, onHeldTooLong, this);
    }
    this.#state = { phase: 'held' };
    hold?.wait(this);
  }

  #await(checks: ConnectionChecks): void {
    this.#state = { phase: 'queued' };
    this.#awaitLimit = new TimeLimit<Search>(checks.timeoutMs, onAnswersLate, this);
    checks.wait(this);
  }

  #stopAwaiting(): void {
    if (this.#awaitLimit === undefined) return;
    this.#awaitLimit.clear();
    this.#awaitLimit = undefined;
    this.#context.checks?.cancel(this);
  }

  #fail(reason: SearchFailure): void {
    this.#end();
    this.#owner.notFound(reason);
  }

  #end(): void {
    this.#stopAwaiting();
    this.#leaveQueue();
    if (this.#state.phase === 'dialing') this.#state.selection.release();
    this.#state = { phase: 'over' };
    this.#leaveGate();
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#holdLimit?.clear();
    this.#context.hold?.leave(this);
  }

  #leaveQueue(): void {
    if (this.#queueLimit === undefined) return;
    this.#queueLimit.clear();
    this.#queueLimit = undefined;
    this.#context.dials.cancel(this);
  }

  #leaveGate(): void {
    if (!this.#isInside) return;
    this.#isInside = false;
    this.#context.dials.release();
  }
}

const onQueuedTooLong = contained((search: Search) => search.queuedTooLong());
const onAnswersLate = contained((search: Search) => search.answersCame());
const onHeldTooLong = contained((search: Search) => search.heldTooLong());
