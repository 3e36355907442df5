/** Where what is started registers its own end: a test, or a {@link ScriptScope}. */
export interface Scope {
  after(end: () => unknown): void;
}

/** For a program that is no test: ends what was started, the last first. */
export class ScriptScope implements Scope {
  readonly #ends: (() => unknown)[] = [];

  after(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Ends everything, whatever of it fails. May be called twice. */
  async close(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await end();
      } catch (error) {
        console.error('an end failed:', error);
      }
    }
  }
}
