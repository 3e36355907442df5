import type { ServiceTraffic } from '../core/open-connection.ts';
import type { ServiceCounters } from './counters.ts';
import type { Sample } from './page/wire.ts';

export interface HistoryOptions {
  /** What the open connections of each service have moved so far. */
  readonly traffic: () => readonly ServiceTraffic[];
  /** What the finished ones have moved, by name of the service. */
  readonly counters: ReadonlyMap<string, ServiceCounters>;
  /** Between two samples; default 5 s. */
  readonly everyMs?: number;
}

type Moved = Sample['bytes'][number];

const EVERY_MS = 5_000;
/** The lines of the page show three minutes; one more is where the first step of them begins. */
const KEPT = 37;
const NOTHING: Moved = [0, 0];

/**
 * What each service has moved in the last three minutes, two numbers a service, noted whether or not anybody looks: a page
 * that is opened when there is trouble shows what was before.
 */
export class ThroughputHistory {
  readonly #options: HistoryOptions;
  readonly #samples: { readonly atMs: number; readonly moved: ReadonlyMap<string, Moved> }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  start(): void {
    this.note(Date.now());
    this.#timer ??= setInterval(() => this.note(Date.now()), this.#options.everyMs ?? EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Takes one sample. @param atMs `Date.now()` */
  note(atMs: number): void {
    const { traffic, counters } = this.#options;
    const moved = new Map<string, Moved>();
    for (const [name, { bytesToCandidate, bytesToClient }] of counters)
      moved.set(name, [bytesToCandidate, bytesToClient]);
    for (const { service, bytesToCandidate, bytesToClient } of traffic()) {
      const [sent, received] = moved.get(service) ?? NOTHING;
      moved.set(service, [sent + bytesToCandidate, received + bytesToClient]);
    }
    this.#samples.push({ atMs, moved });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** Oldest first. @param services their names, in the order in which the samples have them */
  samples(services: readonly string[]): readonly Sample[] {
    return this.#samples.map(({ atMs, moved }) => ({
      atMs,
      bytes: services.map((name) => moved.get(name) ?? NOTHING),
    }));
  }
}
