import type { Address } from '../core/address.ts';
import { isStrict, type HealthSettings, type HealthState } from '../core/health-check.ts';
import type { CandidateHealth } from '../core/status.ts';
import { writeProxyHeader } from '../core/write-proxy-header.ts';
import { LATE_MS } from '../core/time-limit.ts';
import { placeFor, protocolFor } from '../health/protocol-for.ts';
import type { CheckProtocol } from '../health/check-protocol.ts';
import type { CheckEngine, DialSettings } from '../transport/engine.ts';
import { Election } from './election.ts';
import { HealthRun, type HealthOutcome, type HealthResult } from './health-run.ts';

export interface HealthChecksOptions {
  readonly settings: HealthSettings;
  readonly engine: CheckEngine;
  /** How candidates are dialed for a check: as for a connection, but for the TLS that the check speaks. */
  readonly dialing: DialSettings;
  /** The header that candidates are sent first. */
  readonly proxyProtocol: 'off' | 'v1' | 'v2';
  /** Another candidate may be dialed, or one may be no more. */
  readonly onChange: (change: HealthStateChange) => void;
  readonly onChecked: (checked: HealthChecked) => void;
  /** Several candidates have a role that only one can have: all of them; or they have no more: nobody. */
  readonly onSplit: (candidates: readonly string[], kept: string | undefined) => void;
  readonly onFault: (error: unknown) => void;
  /** Monotonic, ms; replaced in tests, as the one that follows. */
  readonly now?: (() => number) | undefined;
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined;
}

export interface HealthStateChange {
  readonly candidate: string;
  readonly state: Exclude<HealthState, 'unknown'>;
  readonly before: HealthState;
  /** Undefined when it is healthy. */
  readonly error: string | undefined;
  /** What the check took that decided it. */
  readonly ms: number;
}

export interface HealthChecked {
  readonly candidate: string;
  readonly result: HealthResult;
  readonly ms: number;
}

/** Who waits for the first answers. */
export interface AnswerWaiter {
  answersCame(): void;
}

/** Least time between two rounds, ms. */
const ROUND_MS = 10;
/** Checks of one service that are under way: candidates that do not answer must not take every descriptor. */
const MAX_UNDER_WAY = 128;
const JITTER = 0.1;
/** While a state is about to change, or nobody may be dialed, the interval is this share of itself. */
const HASTE = 0.25;
/** Hints closer together than this are one, ms; or than the share of the interval. */
const HINT_MS = 250;

interface Checked {
  readonly key: string;
  readonly address: Address;
  readonly protocol: CheckProtocol | undefined;
  state: HealthState;
  /** `Date.now()`. */
  sinceMs: number;
  /** Answers in a row that say something else than the state does. */
  contrary: number;
  error: string | undefined;
  lastMs: number | undefined;
  dueAt: number;
  /** No check has ended yet. */
  isNew: boolean;
  run: { readonly it: HealthRun; readonly since: number; endsAt: number; isExtended: boolean } | undefined;
  /** Something has happened since its check began. */
  isAgain: boolean;
}

/**
 * Checks the candidates of one service, beside its connections: none waits for a check. One timer for all of them; a check is
 * a dial, and where there is something to ask, an exchange.
 */
export class HealthChecks {
  readonly isStrict: boolean;
  readonly #options: HealthChecksOptions;
  readonly #now: () => number;
  readonly #election: Election;
  readonly #preface: Buffer | undefined;
  readonly #checked = new Map<string, Checked>();
  readonly #unhealthy = new Set<string>();
  readonly #waiters = new Set<AnswerWaiter>();
  #underWay = 0;
  #unknown = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #wakeAt = Infinity;
  #roundAt = -Infinity;
  #hintedAt = -Infinity;
  #isStopped = false;

  constructor(options: HealthChecksOptions) {
    const { settings, proxyProtocol: version, now = () => performance.now() } = options;
    this.isStrict = isStrict(settings.check);
    this.#options = options;
    this.#now = now;
    this.#election = new Election({
      check: settings.check,
      onSuspect: () => this.hint(),
      onSplit: (candidates, kept) => options.onSplit(candidates, kept),
    });
    // A candidate that is checked at another address expects no header there.
    const isElsewhere = settings.check.kind === 'http' && (settings.check.host ?? settings.check.port) !== undefined;
    if (version !== 'off' && !isElsewhere) {
      this.#preface = writeProxyHeader({ version, ends: undefined, tls: undefined });
    }
  }

  /** Whether a new connection may go to it; without strict checks to anybody. */
  isEligible(key: string): boolean {
    return !this.isStrict || this.#election.isElected(key);
  }

  isUnhealthy(key: string): boolean {
    return this.#unhealthy.has(key);
  }

  /** Candidates that have a role that only one can have; empty: there is no such split. */
  get split(): readonly string[] {
    return this.#election.split;
  }

  status(key: string): CandidateHealth | undefined {
    const checked = this.#checked.get(key);
    if (checked === undefined) return undefined;
    const { state, sinceMs, error, lastMs } = checked;
    return { state, sinceMs, ...(error !== undefined && { error }), ...(lastMs !== undefined && { lastMs }) };
  }

  /** The whole set. Those that join are checked at once, and with them all others. */
  put(set: readonly { readonly key: string; readonly address: Address }[]): void {
    if (this.#isStopped) return;
    const keys = new Set(set.map(({ key }) => key));
    const left = [...this.#checked.keys()].filter((key) => !keys.has(key));
    for (const key of left) this.#forget(key);
    const joined = set.filter(({ key }) => !this.#checked.has(key));
    for (const { key, address } of joined) this.#join(key, address);
    this.#election.order([...keys]);
    if (joined.length === 0 && left.length === 0) return;
    this.#tellWaiters();
    this.#allAt(this.#now());
  }

  /**
   * Something has happened that a check would explain: they are all checked at once.
   *
   * @param key of the only one that is concerned
   */
  hint(key?: string): void {
    if (this.#isStopped) return;
    const spacing = Math.min(HINT_MS, this.#options.settings.intervalMs * HASTE);
    const now = this.#now();
    const at = Math.max(now, this.#hintedAt + spacing);
    if (at === now) this.#hintedAt = now;
    const one = key === undefined ? undefined : this.#checked.get(key);
    if (key === undefined) this.#allAt(at);
    else if (one !== undefined) this.#oneAt(one, at);
  }

  /** Whether nobody may be dialed only because the first answers have not come yet. */
  get isAwaited(): boolean {
    return this.isStrict && this.#unknown > 0 && this.#election.isVacant && !this.#isStopped;
  }

  /** To be told once {@link HealthChecks.isAwaited} is false. */
  wait(waiter: AnswerWaiter): void {
    this.#waiters.add(waiter);
  }

  cancel(waiter: AnswerWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Ends everything. May be called twice. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    for (const { run } of this.#checked.values()) run?.it.abort();
    this.#checked.clear();
    this.#waiters.clear();
  }

  #join(key: string, address: Address): void {
    const { check } = this.#options.settings;
    this.#unknown += 1;
    this.#checked.set(key, {
      key,
      address: placeFor(check, address),
      protocol: protocolFor(check, address),
      state: 'unknown',
      sinceMs: Date.now(),
      contrary: 0,
      error: undefined,
      lastMs: undefined,
      dueAt: this.#now(),
      isNew: true,
      run: undefined,
      isAgain: false,
    });
  }

  #forget(key: string): void {
    const checked = this.#checked.get(key);
    if (checked === undefined) return;
    this.#checked.delete(key);
    this.#unhealthy.delete(key);
    if (checked.state === 'unknown') this.#unknown -= 1;
    if (checked.run !== undefined) {
      this.#underWay -= 1;
      checked.run.it.abort();
    }
    this.#election.left(key);
  }

  #allAt(at: number): void {
    for (const checked of this.#checked.values()) this.#oneAt(checked, at);
  }

  #oneAt(checked: Checked, at: number): void {
    if (checked.run !== undefined) checked.isAgain = true;
    checked.dueAt = Math.min(checked.dueAt, at);
    this.#wake(checked.dueAt);
  }

  #wake(at: number): void {
    const wakeAt = Math.max(at, this.#roundAt + ROUND_MS);
    if (this.#isStopped || wakeAt >= this.#wakeAt) return;
    clearTimeout(this.#timer);
    this.#wakeAt = wakeAt;
    // No reason for the process to go on.
    this.#timer = setTimeout(onDue, Math.max(0, wakeAt - this.#now()), this).unref();
  }

  /** After a pause of the process, what came meanwhile is read before the round. A check is late by that at most once. */
  due(): void {
    const now = this.#now();
    for (const { run } of this.#checked.values()) {
      if (run === undefined || run.isExtended || now - run.endsAt < LATE_MS) continue;
      run.isExtended = true;
      run.endsAt = now + Math.min(now - run.endsAt, this.#options.settings.timeoutMs);
    }
    // It needs its reference: without one it does not wake a loop that has nothing else to do.
    this.#turn = setImmediate(onRound, this);
  }

  /** Begins the checks that are due, and ends those that have no time left. */
  round(): void {
    const now = this.#now();
    this.#roundAt = now;
    this.#wakeAt = Infinity;
    let next = Infinity;
    for (const checked of this.#checked.values()) {
      const { run } = checked;
      if (run !== undefined && run.endsAt <= now) run.it.late();
      if (checked.run === undefined && checked.dueAt <= now && this.#underWay < MAX_UNDER_WAY)
        this.#begin(checked, now);
      // Those that find no place are woken by one that ends.
      if (checked.run !== undefined) next = Math.min(next, checked.run.endsAt);
      else if (checked.dueAt > now) next = Math.min(next, checked.dueAt);
    }
    if (next < Infinity) this.#wake(next);
  }

  #begin(checked: Checked, now: number): void {
    const { engine, dialing, onFault } = this.#options;
    const { address, protocol } = checked;
    this.#underWay += 1;
    checked.isAgain = false;
    const it = new HealthRun({
      engine,
      address,
      dialing,
      preface: this.#preface,
      protocol,
      onEnd: (outcome) => this.#ended(checked, outcome),
      onFault: (error) => {
        this.#settle(checked, this.#now());
        onFault(error);
      },
    });
    checked.run = { it, since: now, endsAt: now + this.#options.settings.timeoutMs, isExtended: false };
    it.start();
  }

  #ended(checked: Checked, { result, verdict }: HealthOutcome): void {
    const now = this.#now();
    const since = checked.run?.since ?? now;
    const ms = now - since;
    const { settings, onChecked } = this.#options;
    checked.lastMs = ms;
    if (result !== 'own') {
      checked.error = verdict.isOk ? undefined : verdict.fault;
      const says = verdict.isOk ? 'healthy' : 'unhealthy';
      checked.contrary = checked.state === says ? 0 : checked.contrary + 1;
      const isContested = this.#election.isContested;
      const enough = verdict.isOk ? settings.rise : verdict.isCertain === true || isContested ? 1 : settings.fall;
      const isDecided = checked.state === 'unknown' || checked.contrary >= enough;
      if (checked.state !== says && isDecided) this.#become(checked, says, ms);
      // The role that it may be about to lose may have gone to another already.
      else if (this.isStrict && checked.state === 'healthy' && checked.contrary > 0) this.hint();
      this.#election.confirmed(checked.key, since);
    }
    this.#settle(checked, now);
    onChecked({ candidate: checked.key, result, ms });
  }

  /** Its check is over; the next one is not yet. */
  #settle(checked: Checked, now: number): void {
    if (checked.run === undefined) return;
    checked.run = undefined;
    this.#underWay -= 1;
    const { intervalMs } = this.#options.settings;
    const { isVacant, isContested } = this.#election;
    const isHasty = checked.contrary > 0 || (this.isStrict && (isVacant || isContested || this.#isDoubted));
    const { random = Math.random } = this.#options;
    // Those that joined together are not to be checked together for ever.
    const spread = checked.isNew ? (1 + random()) / 2 : 1 - JITTER + 2 * JITTER * random();
    checked.isNew = false;
    checked.dueAt = checked.isAgain ? now : now + intervalMs * spread * (isHasty ? HASTE : 1);
    checked.isAgain = false;
    // One that found no place may begin now.
    this.#wake(this.#underWay === MAX_UNDER_WAY - 1 ? now : checked.dueAt);
  }

  #become(checked: Checked, state: 'healthy' | 'unhealthy', ms: number): void {
    const { state: before, key, error } = checked;
    if (before === 'unknown') this.#unknown -= 1;
    checked.state = state;
    checked.sinceMs = Date.now();
    checked.contrary = 0;
    if (state === 'healthy') this.#unhealthy.delete(key);
    else this.#unhealthy.add(key);
    this.#election.became(key, { isHealthy: state === 'healthy', at: this.#now() });
    this.#options.onChange({ candidate: key, state, before, error, ms });
    this.#tellWaiters();
    if (this.#election.isContested) this.#dropDoubted(checked);
    // The candidate that has the role now may have had it for a while.
    if (this.isStrict && before === 'healthy' && state === 'unhealthy') this.hint();
  }

  /** Whether somebody healthy has failed its last check. */
  get #isDoubted(): boolean {
    for (const { state, contrary } of this.#checked.values()) if (state === 'healthy' && contrary > 0) return true;
    return false;
  }

  /** Another has the role: who has failed its last check is not waited for. */
  #dropDoubted(newcomer: Checked): void {
    for (const checked of this.#checked.values()) {
      const isDoubted = checked !== newcomer && checked.state === 'healthy' && checked.contrary > 0;
      if (isDoubted) this.#become(checked, 'unhealthy', checked.lastMs ?? 0);
    }
  }

  #tellWaiters(): void {
    if (this.isAwaited) return;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.answersCame();
  }
}

function onDue(checks: HealthChecks): void {
  checks.due();
}

function onRound(checks: HealthChecks): void {
  checks.round();
}
