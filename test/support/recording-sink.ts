import { formatAddress, type Address } from '../../src/core/address.ts';
import type { SourceSink, SourceState } from '../../src/discovery/source.ts';

/** Keeps everything a source reports, and lets a test wait for it. */
export class RecordingSink implements SourceSink {
  /** Every set reported, each as canonical text. */
  readonly sets: string[][] = [];
  readonly states: SourceState[] = [];
  readonly ignoredKeys: { readonly key: string; readonly reason: string }[] = [];
  readonly #waiting = new Set<() => void>();

  candidates(set: readonly Address[]): void {
    this.sets.push(set.map(formatAddress));
    this.#wake();
  }

  state(state: SourceState): void {
    this.states.push(state);
    this.#wake();
  }

  ignored(key: string, reason: string): void {
    this.ignoredKeys.push({ key, reason });
    this.#wake();
  }

  /** The set in force; undefined before the first. */
  get current(): readonly string[] | undefined {
    return this.sets.at(-1);
  }

  get status(): SourceState['status'] | undefined {
    return this.states.at(-1)?.status;
  }

  /** Resolves once the set in force is this one and the source says that it is what the backend holds. */
  holds(expected: readonly string[]): Promise<void> {
    return this.until(
      () => this.status === 'synced' && JSON.stringify(this.current) === JSON.stringify(expected),
      () => `the set ${JSON.stringify(expected)}, have ${JSON.stringify(this.current)} (${this.status ?? 'no state'})`,
    );
  }

  /** Resolves when the condition holds after some report; rejects after 5 s. */
  until(holds: () => boolean, what: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!holds()) return;
        clearTimeout(deadline);
        this.#waiting.delete(look);
        resolve();
      };
      const deadline = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited 5 s for ${what()}`));
      }, 5_000);
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves after that many further successful looks of the source. */
  nextLooks(count: number): Promise<void> {
    const goal = this.states.length + count;
    return this.until(
      () => this.states.length >= goal,
      () => `${count} further looks`,
    );
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
