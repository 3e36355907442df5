/** A wait that ends when its time is over, or when somebody else ends it. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onAbort = (): void => this.#controller.abort(this.#parent.reason);
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #ended = false;

  /** @param parent ends every wait, with its own reason */
  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Gives what `name` stands for this much time from now on, in place of what it had.
   *
   * @param error what to end with when it is over
   */
  allow(name: string, ms: number, error: () => Error): void {
    clearTimeout(this.#timers.get(name));
    // Work that goes on unheard may still ask.
    if (this.#ended) return;
    this.#timers.set(
      name,
      setTimeout(() => this.#controller.abort(error()), ms),
    );
  }

  /**
   * The result of `work`, unless the wait ends earlier; then `work` goes on and its result is dropped.
   *
   * @throws the reason of the end
   */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const end = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    });
  }

  /** To be called when nothing is waited for any more. */
  end(): void {
    this.#ended = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#parent.removeEventListener('abort', this.#onAbort);
  }
}
