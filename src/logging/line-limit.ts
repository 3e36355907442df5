/** At most so many lines of a kind in a window of time; what was left out is counted and told with the next line. */
export class LineLimit {
  readonly #lines: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { since: number; lines: number; suppressed: number }>();

  constructor(options: { readonly lines: number; readonly windowMs: number; readonly now?: () => number }) {
    this.#lines = options.lines;
    this.#windowMs = options.windowMs;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * @param kind e.g. a service's name; there must be few, since each is remembered
   * @returns how many lines of the kind were left out since the last one, or undefined when this one is to be too
   */
  admit(kind: string): number | undefined {
    const now = this.#now();
    const entry = this.#kinds.get(kind);
    if (entry === undefined || now - entry.since >= this.#windowMs) {
      const suppressed = entry?.suppressed ?? 0;
      this.#kinds.set(kind, { since: now, lines: 1, suppressed: 0 });
      return suppressed;
    }
    if (entry.lines >= this.#lines) {
      entry.suppressed += 1;
      return undefined;
    }
    entry.lines += 1;
    return 0;
  }
}
