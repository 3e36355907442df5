import { sameEndpoints, type Endpoint } from '../core/endpoint.ts';
import type { SourceSink } from './source.ts';

export interface SetReporterOptions {
  /** `clear`: an outage empties the set; `keep`: the last set stays. */
  readonly onFailure: 'keep' | 'clear';
  /** Nothing is reported after the source has stopped. */
  readonly isRunning: () => boolean;
}

/** Tells a sink about sets and states: each of them once, for as long as the source runs. */
export class SetReporter {
  readonly #sink: SourceSink;
  readonly #options: SetReporterOptions;
  /** The set last reported; undefined before the first. */
  #reported: readonly Endpoint[] | undefined;
  #lastOkAt: number | undefined;
  /** The fault last reported, while it lasts. */
  #fault: string | undefined;

  constructor(sink: SourceSink, options: SetReporterOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  /** The registry has said what the set is. */
  synced(set: readonly Endpoint[]): void {
    this.#report(set);
    this.#lastOkAt = Date.now();
    this.#fault = undefined;
    if (this.#options.isRunning()) this.#sink.state({ status: 'synced', lastOkAt: this.#lastOkAt });
  }

  /** @param isDown the registry cannot be reached or believed, which `DISCOVERY_ON_FAILURE` is about */
  failed(fault: string, isDown: boolean): void {
    if (isDown && this.#options.onFailure === 'clear' && this.#reported !== undefined) this.#report([]);
    if (fault === this.#fault || !this.#options.isRunning()) return;
    this.#fault = fault;
    if (this.#lastOkAt === undefined) this.#sink.state({ status: 'starting', error: fault });
    else this.#sink.state({ status: 'stale', lastOkAt: this.#lastOkAt, error: fault });
  }

  /** A member that cannot be used. */
  ignored(key: string, reason: string): void {
    if (this.#options.isRunning()) this.#sink.ignored(key, reason);
  }

  /** A detail of a member that cannot be used; the member is. */
  detailIgnored(key: string, reason: string): void {
    if (this.#options.isRunning()) this.#sink.detailIgnored?.(key, reason);
  }

  #report(set: readonly Endpoint[]): void {
    if (!this.#options.isRunning() || (this.#reported !== undefined && sameEndpoints(set, this.#reported))) return;
    this.#reported = set;
    this.#sink.candidates(set);
  }
}
