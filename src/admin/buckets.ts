/** Counts of values by upper bound: a histogram as plain numbers, cheap enough for every connection. */
export class Buckets {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** One count for each bound, and a last one for values above all bounds; not cumulative. */
  readonly counts: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` are upper bounds, ascending. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = [...bounds.map(() => 0), 0];
    this.counts = this.#counts;
  }

  /** Sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  /** How many values there are. */
  get count(): number {
    return this.#counts.reduce((total, count) => total + count, 0);
  }

  /** Counts a value, once or several times. */
  add(value: number, times = 1): void {
    const { bounds } = this;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] ?? 0)) place += 1;
    this.#counts[place] = (this.#counts[place] ?? 0) + times;
    this.#sum += value * times;
  }
}
