import { formatAddress, type Address } from '../core/address.ts';
import type { Candidate } from './candidate.ts';
import type { Policy, Turn } from './policies.ts';

export interface PoolChange {
  readonly added: readonly Candidate[];
  readonly removed: readonly Candidate[];
}

/** The candidate set of one service. Swapped whole; members that stay keep their identity. */
export class Pool {
  readonly #policy: Policy;
  readonly #drained: ReadonlySet<string>;
  #candidates: readonly Candidate[] = [];

  /** @param drained keys of members that get no new connections; whoever owns it changes it */
  constructor(policy: Policy, drained: ReadonlySet<string> = new Set()) {
    this.#policy = policy;
    this.#drained = drained;
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** Those that new connections may go to. */
  get undrained(): readonly Candidate[] {
    if (this.#drained.size === 0) return this.#candidates;
    return this.#candidates.filter(({ key }) => !this.#drained.has(key));
  }

  /** Swaps the whole set, in the order given. */
  replace(addresses: readonly Address[]): PoolChange {
    const known = new Map(this.#candidates.map((candidate) => [candidate.key, candidate]));
    const added: Candidate[] = [];
    const next = new Map<string, Candidate>();
    for (const address of addresses) {
      const key = formatAddress(address);
      const kept = known.get(key);
      const candidate = kept ?? { address, key };
      if (kept === undefined && !next.has(key)) added.push(candidate);
      if (!next.has(key)) next.set(key, candidate);
    }
    const removed = this.#candidates.filter((candidate) => !next.has(candidate.key));
    this.#candidates = [...next.values()];
    return { added, removed };
  }

  /** Whether `candidate` is still a member. */
  has(candidate: Candidate): boolean {
    return this.#candidates.includes(candidate);
  }

  /** Begins choosing for one new connection. */
  select(): Selection {
    return new Selection(this, this.#policy.begin());
  }
}

/**
 * The candidates one connection tries, one after the other, each at most once. It asks the pool as it is at that
 * moment, so a candidate that left while an earlier one was being dialed is never tried.
 */
export class Selection {
  readonly #pool: Pool;
  readonly #turn: Turn;
  #tried: readonly Candidate[] = [];

  constructor(pool: Pool, turn: Turn) {
    this.#pool = pool;
    this.#turn = turn;
  }

  /** The next candidate to dial; undefined when this connection has none left. */
  next(): Candidate | undefined {
    // One that has left is no failure of this connection: it must not use up the tries that the policy allows.
    this.#tried = this.#tried.filter((candidate) => this.#pool.has(candidate));
    const candidate = this.#turn.next(this.#pool.undrained, this.#tried);
    if (candidate !== undefined) this.#tried = [...this.#tried, candidate];
    return candidate;
  }
}
