import { containing, type Contained } from './contained.ts';

/** Who waits to be let in. */
export interface Acquirer extends Contained {
  /** It is in, and must `leave` the semaphore once. */
  granted(): void;
}

/** Lets a bounded number in at once, in the order in which they came. */
export class Semaphore {
  readonly #places: number;
  readonly #waiting = new Set<Acquirer>();
  #inside = 0;
  #isAdmitting = false;

  constructor(places: number) {
    this.#places = places;
  }

  /** Calls `granted`, now or when there is a place. One that waits no longer must `cancel`. */
  acquire(acquirer: Acquirer): void {
    if (this.#inside < this.#places) {
      this.#inside += 1;
      acquirer.granted();
    } else {
      this.#waiting.add(acquirer);
    }
  }

  release(): void {
    this.#inside -= 1;
    // One that leaves at once lets the next in from here, not from within its own call.
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    for (const next of this.#waiting) {
      if (this.#inside >= this.#places) break;
      this.#waiting.delete(next);
      this.#inside += 1;
      containing(next, () => next.granted());
    }
    this.#isAdmitting = false;
  }

  cancel(acquirer: Acquirer): void {
    this.#waiting.delete(acquirer);
  }
}
