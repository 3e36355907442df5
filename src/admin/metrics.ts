import type { Observer } from '../core/observer.ts';
import type { ServiceTraffic } from '../core/open-connection.ts';
import type { Exposition } from './exposition.ts';
import { LoopLag } from './loop-lag.ts';
import type { ProcessStatus } from './status.ts';
import { Tally } from './tally.ts';

/** What metrics are read from beside the events; an ambassador is one. */
export interface Measured {
  readonly status: ProcessStatus;
  traffic(): readonly ServiceTraffic[];
}

/**
 * The metrics of one ambassador in the text format of Prometheus.
 *
 * Give `observer` to the ambassador from the start: counting costs next to nothing. The library that writes them is loaded
 * when they are first asked for; from then on the event loop is watched too.
 */
export class Metrics {
  static readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #version: string;
  readonly #tally: Tally;
  readonly #lag = new LoopLag();
  #exposition: Promise<Exposition> | undefined;
  #rendering: Promise<string> | undefined;

  /**
   * @param version of what runs, for `attache_build_info`
   * @param tally shared with others that show it; it then has to be an observer by itself
   */
  constructor(version: string, tally: Tally = new Tally()) {
    this.#version = version;
    this.#tally = tally;
  }

  get observer(): Observer {
    return this.#tally.observer;
  }

  /** Everything as it is now. Those who ask while it is written get the same text. */
  render(measured: Measured): Promise<string> {
    this.#rendering ??= this.#render(measured).finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }

  /** Ends its timer. */
  close(): void {
    this.#lag.stop();
  }

  async #render(measured: Measured): Promise<string> {
    this.#exposition ??= import('./exposition.ts').then(({ Exposition: It }) => new It(this.#version));
    const exposition = await this.#exposition;
    this.#lag.start();
    const { status } = measured;
    return exposition.write({
      status,
      traffic: measured.traffic(),
      tally: this.#tally.services,
      lag: this.#lag.buckets,
    });
  }
}
