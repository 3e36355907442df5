import type { Candidate } from '../balancing/candidate.ts';
import type { CloseReason } from '../core/close-reason.ts';
import type { Connection } from './connection.ts';

/** What a change of membership does to established connections. */
export type OnChange = 'reset' | 'reset-removed' | 'drain' | 'keep';

export interface ResetsOptions {
  readonly onChange: OnChange;
  /** What connections to removed candidates get under `drain`, ms. */
  readonly drainTimeoutMs: number;
  /** The resets are spread evenly over this time, ms. */
  readonly jitterMs: number;
  readonly connections: Iterable<Connection>;
  readonly isMember: (candidate: Candidate) => boolean;
  /** Told how many connections a change ends, once per burst of changes. */
  readonly onReset: (connections: number, mode: 'reset' | 'reset-removed' | 'drain') => void;
}

/** Changes closer together than this are one burst, whose connections are reset once. */
const QUIET_MS = 50;
/** A burst that does not end is acted upon after this long. */
const BURST_MS = 500;

interface Due {
  readonly connection: Connection;
  readonly at: number;
}

/** Ends established connections after the candidate set has changed, as `ON_CHANGE` says. */
export class Resets {
  readonly #options: ResetsOptions;
  #changedAt = 0;
  #burstSince: number | undefined;
  #burstTimer: NodeJS.Timeout | undefined;
  #due: Due[] = [];
  #dueTimer: NodeJS.Timeout | undefined;

  constructor(options: ResetsOptions) {
    this.#options = options;
  }

  /** The candidate set has just been swapped. */
  changed(): void {
    if (this.#options.onChange === 'keep') return;
    const now = performance.now();
    this.#changedAt = now;
    this.#burstSince ??= now;
    clearTimeout(this.#burstTimer);
    const wait = Math.min(QUIET_MS, Math.max(0, this.#burstSince + BURST_MS - now));
    this.#burstTimer = setTimeout(() => this.#burstOver(), wait);
  }

  stop(): void {
    clearTimeout(this.#burstTimer);
    clearTimeout(this.#dueTimer);
    this.#due = [];
  }

  #burstOver(): void {
    this.#burstSince = undefined;
    const { onChange, onReset, connections, jitterMs, drainTimeoutMs } = this.#options;
    if (onChange === 'keep') return;
    // A candidate that has come back and leaves again gives its connections their whole time again.
    this.#due = this.#due.filter(({ connection }) => this.#isHit(connection));
    const waiting = new Set(this.#due.map(({ connection }) => connection));
    const hit = [...connections].filter((connection) => !waiting.has(connection) && this.#isHit(connection));
    if (hit.length === 0) return;
    onReset(hit.length, onChange);
    const from = performance.now() + (onChange === 'drain' ? drainTimeoutMs : 0);
    const step = jitterMs / hit.length;
    const due = hit.map((connection, place) => ({ connection, at: from + (place + Math.random()) * step }));
    this.#due = [...this.#due, ...due].sort((a, b) => a.at - b.at);
    this.#endDue();
  }

  #isHit(connection: Connection): boolean {
    const { established } = connection;
    if (established === undefined) return false;
    // A candidate that was chosen after the change was chosen from the new set.
    if (this.#options.onChange === 'reset') return established.chosenAt < this.#changedAt;
    return !this.#options.isMember(established.candidate);
  }

  #endDue(): void {
    clearTimeout(this.#dueTimer);
    const now = performance.now();
    const later = this.#due.findIndex(({ at }) => at > now);
    const ready = later < 0 ? this.#due : this.#due.slice(0, later);
    this.#due = later < 0 ? [] : this.#due.slice(later);
    const reason: CloseReason = this.#options.onChange === 'drain' ? 'drain_timeout' : 'membership_changed';
    // A member that has come back in the meantime keeps its connections, unless all are to be reset.
    for (const { connection } of ready) if (this.#isHit(connection)) connection.abort(reason);
    const next = this.#due[0];
    if (next !== undefined) this.#dueTimer = setTimeout(() => this.#endDue(), next.at - now);
  }
}
