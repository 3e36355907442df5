/** How many TLS handshakes of one service may be under way at once; the clients beyond them wait, unread. */
export const MAX_HANDSHAKES = 256;

/** Lets a bounded number in at once, in the order in which they came. */
export class HandshakeGate {
  readonly #places: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(places = MAX_HANDSHAKES) {
    this.#places = places;
  }

  /** Calls `enter`, now or when there is a place. Who is in must `leave`; who waits no longer must `giveUp`. */
  come(enter: () => void): void {
    if (this.#inside < this.#places) {
      this.#inside += 1;
      enter();
    } else {
      this.#waiting.add(enter);
    }
  }

  leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#inside -= 1;
  }

  giveUp(enter: () => void): void {
    this.#waiting.delete(enter);
  }
}
