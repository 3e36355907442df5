import { Buckets } from './buckets.ts';

const EVERY_MS = 10;
/** A pause of 20 ms makes this timer at least 10 ms late. */
const BOUNDS_S = [0.005, 0.009, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** Measures how long the event loop was kept from everything, without losing a pause between two looks at it. */
export class LoopLag {
  readonly buckets = new Buckets(BOUNDS_S);
  #timer: NodeJS.Timeout | undefined;
  #lastAt = 0;

  /** Does nothing when it runs. The timer keeps no process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => this.#tick(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    this.buckets.add(Math.max(0, now - this.#lastAt - EVERY_MS) / 1_000);
    this.#lastAt = now;
  }
}
