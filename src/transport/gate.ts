/** Who waits to be let in. */
export interface Entrant {
  /** It is in, and must `leave` the gate once. */
  enter(): void;
}

/** Lets a bounded number in at once, in the order in which they came. */
export class Gate {
  readonly #places: number;
  readonly #waiting = new Set<Entrant>();
  #inside = 0;
  #isAdmitting = false;

  constructor(places: number) {
    this.#places = places;
  }

  /** Calls `enter`, now or when there is a place. Who waits no longer must `giveUp`. */
  come(entrant: Entrant): void {
    if (this.#inside < this.#places) {
      this.#inside += 1;
      entrant.enter();
    } else {
      this.#waiting.add(entrant);
    }
  }

  leave(): void {
    this.#inside -= 1;
    // One that leaves at once lets the next in from here, not from within its own call.
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    for (const next of this.#waiting) {
      if (this.#inside >= this.#places) break;
      this.#waiting.delete(next);
      this.#inside += 1;
      next.enter();
    }
    this.#isAdmitting = false;
  }

  giveUp(entrant: Entrant): void {
    this.#waiting.delete(entrant);
  }
}
