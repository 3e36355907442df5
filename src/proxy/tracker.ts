import { containing, type Contained } from '../core/contained.ts';
import { TimerWheel } from './timer-wheel.ts';

/** What a tracker needs of a connection. */
export interface Tracked extends Contained {
  /**
   * Looks at its sides, while it is watched; `now` is `performance.now()`.
   *
   * @param probe whether to ask the kernel about sides that are not read
   * @returns whether there is still something to watch
   */
  watched(now: number, probe: boolean): boolean;
  /**
   * Ends it when one of its time-outs has run out.
   *
   * @returns when to ask again (`performance.now()`); Infinity: not any more
   */
  dueAt(now: number): number;
}

/**
 * The open connections of one service, and the one timer that looks after all of them. A calm connection costs nothing:
 * it waits on a wheel for its next time-out; only those that are being set up, not read, or finished in one direction
 * are watched from tick to tick.
 */
export class Tracker<T extends Tracked> implements Iterable<T> {
  readonly #open = new Set<T>();
  readonly #watched = new Set<T>();
  readonly #wheel: TimerWheel<T>;
  readonly #tickMs: number;
  #ticker: NodeJS.Timeout | undefined;
  #probedAt = 0;
  #whenEmpty: (() => void)[] = [];

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#wheel = new TimerWheel({ tickMs, slots: WHEEL_SLOTS, now: performance.now() });
  }

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#open.values();
  }

  /** It is watched from now on, and asked when it is due at the next tick. */
  add(connection: T): void {
    this.#open.add(connection);
    this.#watched.add(connection);
    this.#wheel.put(connection, 0);
    this.#tick();
  }

  /** Watches an open connection until it answers that there is nothing left to watch. */
  watch(connection: T): void {
    if (!this.#open.has(connection)) return;
    this.#watched.add(connection);
    this.#tick();
  }

  remove(connection: T): void {
    this.#open.delete(connection);
    this.#watched.delete(connection);
    this.#wheel.delete(connection);
    if (this.#open.size > 0) return;
    this.#rest();
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when no connection is open. */
  empty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #tick(): void {
    if (this.#ticker !== undefined) return;
    // Behind the bytes that had come by then: after a pause of the process every transfer would look idle.
    this.#ticker = setInterval(() => {
      const now = performance.now();
      setImmediate(() => this.#look(now));
    }, this.#tickMs);
    this.#ticker.unref();
  }

  #rest(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** @param now before the last bytes were read */
  #look(now: number): void {
    if (this.#ticker === undefined) return;
    const probe = now - this.#probedAt >= PROBE_EVERY_MS;
    if (probe) this.#probedAt = now;
    for (const connection of this.#watched) {
      containing(connection, () => {
        if (!connection.watched(now, probe)) this.#watched.delete(connection);
      });
    }
    for (const connection of this.#wheel.due(now)) {
      containing(connection, () => {
        const next = connection.dueAt(now);
        if (this.#open.has(connection)) this.#wheel.put(connection, next);
      });
    }
    if (this.#watched.size === 0 && this.#wheel.size === 0) this.#rest();
  }
}

const LEAST_TICK_MS = 10;
const MOST_TICK_MS = 500;
/** Of the shortest time-out. */
const TICKS_PER_TIMEOUT = 20;
/** With the shortest ticks a connection with a long time-out is asked after every 5 s; with the longest, every 4 min. */
const WHEEL_SLOTS = 512;
/** A probe is a system call. A side that was reset while it is not read is noticed within this time and a tick. */
const PROBE_EVERY_MS = 450;

/** A twentieth of the shortest time-out that is set, between 10 and 500 ms: how late a time-out may be. */
export function tickInterval(timeoutsMs: readonly number[]): number {
  const set = timeoutsMs.filter((ms) => ms > 0);
  return Math.max(LEAST_TICK_MS, Math.min(MOST_TICK_MS, Math.min(...set) / TICKS_PER_TIMEOUT));
}
