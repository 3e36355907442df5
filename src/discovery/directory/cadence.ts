/** Times of a {@link Cadence}, ms. */
export interface CadenceOptions {
  /** A wait that was nudged ends when no further nudge came for this long. */
  readonly quietMs: number;
  /** And at the latest this long after the first nudge. */
  readonly burstMs: number;
}

/**
 * The pause between two looks: as long as asked, or until shortly after the last of a burst of nudges, so that a
 * burst costs one look and steady noise cannot put it off. One waiter at a time; a nudge between two waits counts.
 */
export class Cadence {
  readonly #options: CadenceOptions;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #dueAt = 0;
  #burstSince: number | undefined;
  #ended = false;

  constructor(options: CadenceOptions) {
    this.#options = options;
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve();
        return;
      }
      this.#wake = resolve;
      this.#dueAt = performance.now() + ms;
      this.#arm(this.#burstSince === undefined ? ms : this.#options.quietMs);
    });
  }

  nudge(): void {
    const now = performance.now();
    this.#burstSince ??= now;
    if (this.#wake !== undefined) {
      this.#arm(Math.min(this.#options.quietMs, this.#burstSince + this.#options.burstMs - now, this.#dueAt - now));
    }
  }

  /** Ends the wait under way and makes every later one end at once. */
  end(): void {
    this.#ended = true;
    this.#fire();
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, ms));
  }

  #fire(): void {
    clearTimeout(this.#timer);
    this.#burstSince = undefined;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
