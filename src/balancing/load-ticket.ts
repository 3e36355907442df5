/** How many connections an address has: outlives a membership for as long as one of them is left. */
export interface Load {
  open: number;
}

/** A connection's place among those of its candidate, from the beginning of its dial until it is over. */
export class LoadTicket {
  #load: Load | undefined;

  constructor(load: Load) {
    this.#load = load;
    load.open += 1;
  }

  /** May be called twice. */
  leave(): void {
    if (this.#load === undefined) return;
    this.#load.open -= 1;
    this.#load = undefined;
  }
}
