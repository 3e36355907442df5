/** When each of many items is to be looked at next: one set of items per tick, in a ring, and no timer of its own. */
export class TimerWheel<T> {
  readonly #tickMs: number;
  /** Made when first used: most services have no time-out that would fill them. */
  readonly #slots: (Set<T> | undefined)[];
  readonly #places = new Map<T, Set<T>>();
  #tick: number;

  /**
   * @param options.tickMs accuracy, ms
   * @param options.slots an item that is due in more than `slots` ticks is handed out after as many, and put back
   * @param options.now `performance.now()`
   */
  constructor(options: { readonly tickMs: number; readonly slots: number; readonly now: number }) {
    this.#tickMs = options.tickMs;
    this.#slots = new Array<Set<T> | undefined>(options.slots);
    this.#tick = Math.floor(options.now / options.tickMs);
  }

  get size(): number {
    return this.#places.size;
  }

  /**
   * Has `item` handed out at the first tick at or after `at`, or earlier when that is far. In place of what was said of
   * it before; Infinity: never.
   */
  put(item: T, at: number): void {
    this.delete(item);
    if (at === Infinity) return;
    const wanted = Math.ceil(at / this.#tickMs);
    const tick = Math.min(Math.max(wanted, this.#tick + 1), this.#tick + this.#slots.length);
    const index = tick % this.#slots.length;
    const slot = (this.#slots[index] ??= new Set());
    slot.add(item);
    this.#places.set(item, slot);
  }

  delete(item: T): void {
    this.#places.get(item)?.delete(item);
    this.#places.delete(item);
  }

  /** Hands out, and takes off the wheel, what has become due since the last call. */
  due(now: number): T[] {
    const until = Math.floor(now / this.#tickMs);
    // After a long pause every slot is visited once, not once a tick that was missed.
    const from = Math.max(this.#tick + 1, until - this.#slots.length + 1);
    this.#tick = Math.max(this.#tick, until);
    const items: T[] = [];
    for (let tick = from; tick <= until; tick += 1) {
      const slot = this.#slots[tick % this.#slots.length];
      if (slot === undefined) continue;
      for (const item of slot) {
        items.push(item);
        this.#places.delete(item);
      }
      slot.clear();
    }
    return items;
  }
}
