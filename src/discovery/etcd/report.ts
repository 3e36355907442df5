import { etcdFaultText, type EtcdFault } from '../../etcd/fault.ts';
import type { SourceCounters, SourceState } from '../../core/status.ts';

export interface StateReportOptions {
  readonly report: (state: SourceState) => void;
  readonly counters: () => SourceCounters;
  /** Replaced in tests. */
  readonly now?: () => number;
}

/** How long one outage may go without saying again that its cause has changed, ms. */
const REPEAT_MS = 30_000;

/**
 * Turns successes and faults into states, few enough to be logged one by one: each success; the first fault; and
 * further faults of that outage when their class is new, or has changed and the last report is half a minute old. Three
 * endpoints that fail in three ways, in turn, would otherwise fill the log.
 */
export class StateReport {
  readonly #options: Required<StateReportOptions>;
  readonly #seen = new Set<string>();
  #lastOkAt: number | undefined;
  #last: { readonly label: string; readonly at: number } | undefined;

  constructor(options: StateReportOptions) {
    this.#options = { now: Date.now, ...options };
  }

  /** The backend has listed the set. From the first time on a fault makes it stale, also one that comes before it is followed. */
  listed(): void {
    if (this.#lastOkAt === undefined) this.#forget();
    this.#lastOkAt = this.#options.now();
  }

  /** The backend has confirmed the set. */
  ok(): void {
    const { report, counters, now } = this.#options;
    this.#lastOkAt = now();
    this.#forget();
    report({ status: 'synced', lastOkAt: this.#lastOkAt, counters: counters() });
  }

  /** The backend could not be reached or believed. */
  fault(fault: EtcdFault): void {
    const { report, counters, now } = this.#options;
    const { label } = fault;
    const due = this.#last === undefined || (this.#last.label !== label && now() - this.#last.at >= REPEAT_MS);
    if (!due && this.#seen.has(label)) return;
    this.#seen.add(label);
    this.#last = { label, at: now() };
    const error = etcdFaultText(fault);
    const lastOkAt = this.#lastOkAt;
    if (lastOkAt === undefined) report({ status: 'starting', error });
    else report({ status: 'stale', lastOkAt, error, counters: counters() });
  }

  #forget(): void {
    this.#seen.clear();
    this.#last = undefined;
  }
}
