import { Buckets } from './buckets.ts';

const EVERY_MS = 10;
/** A pause of 20 ms makes this timer at least 10 ms late. */
const BOUNDS_S = [0.005, 0.009, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** Of the timer while the event loop has next to nothing to do. A timer of 10 ms alone would cost 1% of a core. */
const QUIET_EVERY_MS = 25 * EVERY_MS;
/** An event loop that worked for less than this between two looks had no pause that counts. */
const QUIET_WORK_MS = 9;
/** How often it is asked whether the event loop is quiet, in ticks; and which share of the time it may then have worked. */
const ASKED_EVERY = 100;
const QUIET_SHARE = 0.05;

/**
 * Measures how long the event loop was kept from everything, without losing a pause between two looks at it.
 *
 * A timer of 10 ms tells it: what it is late is the pause. While the event loop is quiet, its working time tells it, four
 * times a second: no pause is longer. The values weigh the same in both.
 */
export class LoopLag {
  readonly buckets = new Buckets(BOUNDS_S);
  #timer: NodeJS.Timeout | undefined;
  #lastAt = 0;
  #ticks = 0;
  #work = performance.eventLoopUtilization();

  /** Does nothing when it runs. The timer keeps no process alive. */
  start(): void {
    if (this.#timer === undefined) this.#lookOften();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lookOften(): void {
    this.stop();
    this.#ticks = 0;
    this.#workSinceAsked();
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => this.#tick(), EVERY_MS).unref();
  }

  #tick(): void {
    const now = performance.now();
    this.buckets.add(Math.max(0, now - this.#lastAt - EVERY_MS) / 1_000);
    this.#lastAt = now;
    this.#ticks += 1;
    if (this.#ticks % ASKED_EVERY === 0 && this.#workSinceAsked().utilization < QUIET_SHARE) this.#lookRarely();
  }

  #lookRarely(): void {
    this.stop();
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => this.#quietTick(), QUIET_EVERY_MS).unref();
  }

  #quietTick(): void {
    const now = performance.now();
    // A process that was stopped while it slept is late, and has not worked.
    const workMs = Math.max(this.#workSinceAsked().active, now - this.#lastAt - QUIET_EVERY_MS);
    this.#lastAt = now;
    this.buckets.add(workMs / 1_000);
    this.buckets.add(0, QUIET_EVERY_MS / EVERY_MS - 1);
    if (workMs >= QUIET_WORK_MS) this.#lookOften();
  }

  #workSinceAsked(): { readonly active: number; readonly utilization: number } {
    const last = this.#work;
    this.#work = performance.eventLoopUtilization();
    return performance.eventLoopUtilization(this.#work, last);
  }
}
