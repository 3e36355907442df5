import { isSingle, type HealthCheck } from '../core/health-check.ts';

export interface ElectionOptions {
  readonly check: HealthCheck;
  /** Two may have a role that only one can have: all are to be checked, to be sure. */
  readonly onSuspect: () => void;
  /** Several have it, or (empty) no more. */
  readonly onSplit: (candidates: readonly string[], kept: string | undefined) => void;
}

/**
 * Who of those that are healthy may be dialed: all of them; or, where only one at a time can have the role, one. Which of two
 * is the right one cannot be known from here, so the one in use is kept for as long as it is healthy.
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #isSingle: boolean;
  /** When they became so. */
  readonly #healthy = new Map<string, number>();
  #order: readonly string[] = [];
  #elected: string | undefined;
  /** Of two that may both have the role: since when, and who has said so in a check that began after it. */
  #suspicion: { readonly since: number; readonly confirmed: Set<string> } | undefined;
  #split: readonly string[] = [];

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#isSingle = isSingle(options.check);
  }

  isElected(key: string): boolean {
    return this.#isSingle ? key === this.#elected : this.#healthy.has(key);
  }

  /** Nobody may be dialed. */
  get isVacant(): boolean {
    return this.#healthy.size === 0;
  }

  /** Several have a role that only one can have, for all that is known. */
  get isContested(): boolean {
    return this.#isSingle && this.#healthy.size > 1;
  }

  get split(): readonly string[] {
    return this.#split;
  }

  /** The set, in the order in which its members are tried. */
  order(keys: readonly string[]): void {
    this.#order = keys;
  }

  left(key: string): void {
    this.#healthy.delete(key);
    this.#elect(0);
  }

  became(key: string, { isHealthy, at }: { readonly isHealthy: boolean; readonly at: number }): void {
    if (isHealthy) this.#healthy.set(key, at);
    else this.#healthy.delete(key);
    this.#elect(at);
  }

  /** A check that began at `since` has ended, and found what is known by now. */
  confirmed(key: string, since: number): void {
    const suspicion = this.#suspicion;
    if (suspicion === undefined || since < suspicion.since || !this.#healthy.has(key)) return;
    suspicion.confirmed.add(key);
    const all = this.#inOrder();
    if (!all.every((one) => suspicion.confirmed.has(one)) || sameSet(all, this.#split)) return;
    this.#split = all;
    this.#options.onSplit(all, this.#elected);
  }

  #elect(at: number): void {
    if (!this.#isSingle) return;
    if (this.#elected === undefined || !this.#healthy.has(this.#elected)) {
      // The one that has had the role for the shortest time was given it last.
      const latest = this.#inOrder().sort((a, b) => (this.#healthy.get(b) ?? 0) - (this.#healthy.get(a) ?? 0));
      this.#elected = latest[0];
    }
    if (this.#healthy.size < 2) {
      this.#suspicion = undefined;
      if (this.#split.length === 0) return;
      this.#split = [];
      this.#options.onSplit([], this.#elected);
    } else {
      this.#suspicion = { since: at, confirmed: new Set() };
      this.#options.onSuspect();
    }
  }

  #inOrder(): string[] {
    return this.#order.filter((key) => this.#healthy.has(key));
  }
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key) => other.includes(key));
}
