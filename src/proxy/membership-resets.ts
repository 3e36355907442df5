import type { Candidate } from '../balancing/candidate.ts';
import type { CloseReason } from '../core/close-reason.ts';
import { MAX_DURATION_MS } from '../core/duration.ts';
import type { OnChange } from '../core/on-change.ts';

/** What has to be known of a connection to end it. */
export interface Resettable {
  /** The candidate that carries it, and `performance.now()` when that was chosen; undefined while or once none does. */
  readonly established: { readonly candidate: Candidate; readonly chosenAt: number } | undefined;
  abort(reason: CloseReason): void;
}

export interface MembershipResetsOptions {
  readonly onChange: OnChange;
  /** What connections to removed candidates get under `drain`, ms. */
  readonly onChangeTimeoutMs: number;
  /** The resets are spread evenly over this time, ms. */
  readonly jitterMs: number;
  readonly connections: Iterable<Resettable>;
  readonly isMember: (candidate: Candidate) => boolean;
  /** What is told to the connections that are reset; default: `membership_changed`. */
  readonly reason?: CloseReason | undefined;
  /** Changes closer together than this are one burst, ms; default: 50. */
  readonly quietMs?: number | undefined;
  /** Told how many connections a change ends, once per burst of changes. */
  readonly onReset: (connections: number, mode: 'reset' | 'reset-removed' | 'drain') => void;
}

/** Changes closer together than this are one burst, whose connections are reset once. */
const QUIET_MS = 50;
/** A burst that does not end is acted upon after this long. */
const BURST_MS = 500;

/**
 * Connections are ended for so long, or so many, and then there is a pause: between thousands of resets other connections are served,
 * and the lines that tell of them reach the log, which keeps only so much in memory. What an end costs after this, in the same
 * turn of the event loop (two sockets closed, a line), is more than as much again.
 */
const BATCH_MS = 4;
const BATCH = 200;
const BATCHES = 50;
const PAUSE_MS = 1;

interface Due {
  readonly connection: Resettable;
  readonly at: number;
}

/** Ends established connections after the candidate set has changed, as `ON_CHANGE` says. */
export class MembershipResets {
  #options: MembershipResetsOptions;
  #changedAt = 0;
  #burstSince: number | undefined;
  #burstTimer: NodeJS.Timeout | undefined;
  /** In the order they are due; those before `#next` have been dealt with. */
  #due: readonly Due[] = [];
  #next = 0;
  #batch = BATCH;
  #dueTimer: NodeJS.Timeout | undefined;

  constructor(options: MembershipResetsOptions) {
    this.#options = options;
  }

  /** The next change of the set follows these. */
  renew(settings: Pick<MembershipResetsOptions, 'onChange' | 'onChangeTimeoutMs' | 'jitterMs'>): void {
    this.#options = { ...this.#options, ...settings };
  }

  /** The candidate set has just been swapped. */
  changed(): void {
    if (this.#options.onChange === 'keep') return;
    const now = performance.now();
    this.#changedAt = now;
    this.#burstSince ??= now;
    clearTimeout(this.#burstTimer);
    const { quietMs = QUIET_MS } = this.#options;
    const wait = Math.min(quietMs, Math.max(0, this.#burstSince + BURST_MS - now));
    this.#burstTimer = setTimeout(() => this.#burstOver(), wait);
  }

  stop(): void {
    clearTimeout(this.#burstTimer);
    clearTimeout(this.#dueTimer);
    this.#setDue([]);
  }

  #burstOver(): void {
    this.#burstSince = undefined;
    const { onChange, onReset, connections, jitterMs, onChangeTimeoutMs } = this.#options;
    if (onChange === 'keep') return;
    // A candidate that has come back and leaves again gives its connections their whole time again.
    const still = this.#due.slice(this.#next).filter(({ connection }) => this.#isHit(connection));
    this.#setDue(still);
    const waiting = new Set(still.map(({ connection }) => connection));
    const hit = [...connections].filter((connection) => !waiting.has(connection) && this.#isHit(connection));
    if (hit.length === 0) return;
    onReset(hit.length, onChange);
    const from = performance.now() + (onChange === 'drain' ? onChangeTimeoutMs : 0);
    const step = jitterMs / hit.length;
    const due = hit.map((connection, place) => ({ connection, at: from + (place + Math.random()) * step }));
    this.#setDue([...still, ...due].sort((a, b) => a.at - b.at));
    this.#endDue();
  }

  #isHit(connection: Resettable): boolean {
    const { established } = connection;
    if (established === undefined) return false;
    // A candidate that was chosen after the change was chosen from the new set.
    if (this.#options.onChange === 'reset') return established.chosenAt < this.#changedAt;
    return !this.#options.isMember(established.candidate);
  }

  #setDue(due: readonly Due[]): void {
    this.#due = due;
    this.#next = 0;
    this.#batch = Math.max(BATCH, Math.ceil(due.length / BATCHES));
  }

  #endDue(): void {
    clearTimeout(this.#dueTimer);
    const now = performance.now();
    const { onChange, reason: asked = 'membership_changed' } = this.#options;
    const reason: CloseReason = onChange === 'drain' ? 'drain_timeout' : asked;
    const pauseAt = this.#next + this.#batch;
    for (let due = this.#due[this.#next]; due !== undefined; due = this.#due[this.#next]) {
      const wait = this.#next === pauseAt || performance.now() - now >= BATCH_MS ? PAUSE_MS : 0;
      if (due.at > now || wait > 0) {
        // A timer that is asked for more than the most would come at once.
        const ms = Math.min(Math.max(Math.ceil(due.at - now), wait), MAX_DURATION_MS);
        this.#dueTimer = setTimeout(() => this.#endDue(), ms);
        return;
      }
      this.#next += 1;
      // A member that has come back in the meantime keeps its connections, unless all are to be reset.
      if (this.#isHit(due.connection)) due.connection.abort(reason);
    }
    this.#setDue([]);
  }
}
