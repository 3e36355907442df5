/** What a tracker needs of a connection. */
export interface Tracked {
  /** Looks at its time-outs and whether its sides still stand; `now` is `performance.now()`. */
  sweep(now: number): void;
}

/** The open connections of one service, and the one timer that looks after all of them. */
export class Tracker<T extends Tracked> implements Iterable<T> {
  readonly #open = new Set<T>();
  readonly #sweepEveryMs: number;
  #sweeper: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void)[] = [];

  constructor(sweepEveryMs: number) {
    this.#sweepEveryMs = sweepEveryMs;
  }

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#open.values();
  }

  add(connection: T): void {
    this.#open.add(connection);
    if (this.#sweeper === undefined) {
      this.#sweeper = setInterval(() => this.#sweep(), this.#sweepEveryMs);
      this.#sweeper.unref();
    }
  }

  remove(connection: T): void {
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when no connection is open. */
  empty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#open) connection.sweep(now);
  }
}

const LEAST_SWEEP_MS = 10;
const MOST_SWEEP_MS = 1_000;

/** A tenth of the shortest time-out that is set, between 10 ms and 1 s. */
export function sweepInterval(timeoutsMs: readonly number[]): number {
  const set = timeoutsMs.filter((ms) => ms > 0);
  return Math.max(LEAST_SWEEP_MS, Math.min(MOST_SWEEP_MS, Math.min(...set) / 10));
}
