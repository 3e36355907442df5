import { setTimeout as delay } from 'node:timers/promises';
import type { Observer } from '../core/observer.ts';
import type { ServiceTraffic } from '../core/open-connection.ts';
import type { Exposition } from './exposition.ts';
import { LoopLag } from './loop-lag.ts';
import type { ProcessStatus } from '../core/status.ts';
import { Counters } from './counters.ts';

/** The source of the metrics that are not counted from events; an ambassador is one. */
export interface Measured {
  /** Read for each answer. */
  readonly status: ProcessStatus;
  /** What the open connections of each service have moved so far; read for each answer. */
  traffic(): readonly ServiceTraffic[];
}

/** After a text, this many times as long as it took goes by before the next is written: those who flood get one for many. */
const REST_SHARE = 3;
const MAX_REST_MS = 500;

/**
 * The metrics of one ambassador in the text format of Prometheus.
 *
 * Give `observer` to the ambassador from the start: counting costs next to nothing. The library that writes them is loaded
 * when they are first asked for; from then on the event loop is watched too.
 */
export class Metrics {
  /** For the `Content-Type` of the answer that carries the text. */
  static readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #version: string;
  readonly #counters: Counters;
  readonly #droppedLogLines: (() => number) | undefined;
  readonly #lag = new LoopLag();
  #exposition: Promise<Exposition> | undefined;
  #rendering: Promise<string> | undefined;
  #restUntil = 0;

  /**
   * Counts nothing until its `observer` hears events.
   *
   * @param version of what runs, for `attache_build_info`
   * @param counters shared with others that show it; it then has to be an observer by itself
   * @param droppedLogLines of the program's log; the metric is left out without it
   */
  constructor(version: string, counters: Counters = new Counters(), droppedLogLines?: () => number) {
    this.#version = version;
    this.#counters = counters;
    this.#droppedLogLines = droppedLogLines;
  }

  /** For the `observer` of the ambassador, from its start. */
  get observer(): Observer {
    return this.#counters.observer;
  }

  /**
   * The text with all metrics as they are now, or a moment later. Those who ask before it is written get the same text.
   */
  render(measured: Measured): Promise<string> {
    this.#rendering ??= this.#renderRested(measured).finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }

  async #renderRested(measured: Measured): Promise<string> {
    const restMs = this.#restUntil - performance.now();
    if (restMs > 0) await delay(restMs);
    const began = performance.now();
    try {
      return await this.#render(measured);
    } finally {
      const ended = performance.now();
      this.#restUntil = ended + Math.min(REST_SHARE * (ended - began), MAX_REST_MS);
    }
  }

  /** Stops measuring the event loop. */
  close(): void {
    this.#lag.stop();
  }

  async #render(measured: Measured): Promise<string> {
    this.#exposition ??= load(this.#version);
    const exposition = await this.#exposition;
    this.#lag.start();
    const { status } = measured;
    return exposition.write({
      status,
      traffic: measured.traffic(),
      counters: this.#counters.services,
      lag: this.#lag.buckets,
      droppedLogLines: this.#droppedLogLines?.(),
    });
  }
}

async function load(version: string): Promise<Exposition> {
  const { loadPrometheusInPieces } = await import('./load-in-pieces.ts');
  await loadPrometheusInPieces();
  const { Exposition: It } = await import('./exposition.ts');
  return new It(version);
}
