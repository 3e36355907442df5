import { formatAddress, type Address } from '../core/address.ts';
import type { Candidate, CandidateStatus } from './candidate.ts';
import { Health, type EjectionSettings, type HealthChange } from './ejection.ts';
import { Member } from './member.ts';
import type { Policy } from './policies.ts';
import type { Load } from './seat.ts';
import { Selection, type SelectionPool } from './selection.ts';

export interface PoolChange {
  readonly added: readonly Candidate[];
  readonly removed: readonly Candidate[];
}

export interface PoolOptions {
  /** Default: no candidate is ever set aside. */
  readonly ejection?: EjectionSettings;
  /** Keys of members that get no new connections; whoever owns it changes it. */
  readonly drained?: ReadonlySet<string>;
  /** A candidate was set aside, with the fault that did it, or is of use again. */
  readonly onHealth?: (candidate: Candidate, change: HealthChange, errno: string | undefined) => void;
  /** Monotonic, ms; default: `performance.now`. A jump of the wall clock changes nothing. */
  readonly now?: () => number;
}

const NEVER: EjectionSettings = { maxFails: 0, failTimeoutMs: 0 };

/** The candidate set of one service. Swapped whole; members that stay keep their identity and their health. */
export class Pool {
  readonly #ejection: EjectionSettings;
  readonly #drained: ReadonlySet<string>;
  readonly #view: SelectionPool;
  #members: readonly Member[] = [];
  /** Loads of addresses that have left with connections open: those that stay on it count again when it comes back. */
  readonly #departed = new Map<string, Load>();

  constructor(policy: Policy, options: PoolOptions = {}) {
    const { ejection = NEVER, drained = new Set(), onHealth, now = () => performance.now() } = options;
    this.#ejection = ejection;
    this.#drained = drained;
    this.#view = {
      policy,
      now,
      members: () => this.undrained,
      isUsable: ({ health }) => health.isUsable(now),
      changed: (member, change, errno) => onHealth?.(member, change, errno),
    };
  }

  get candidates(): readonly Candidate[] {
    return this.#members;
  }

  get statuses(): readonly CandidateStatus[] {
    return this.#members.map(({ status }) => status);
  }

  /** Whether there is a candidate that is not set aside: a client that is dialed for now has a chance. */
  get hasAvailable(): boolean {
    return this.undrained.some(this.#view.isUsable);
  }

  /** Those that new connections may go to. */
  get undrained(): readonly Member[] {
    if (this.#drained.size === 0) return this.#members;
    return this.#members.filter(({ key }) => !this.#drained.has(key));
  }

  /** Swaps the whole set, in the order given. */
  replace(addresses: readonly Address[]): PoolChange {
    const known = new Map(this.#members.map((member) => [member.key, member]));
    const added: Member[] = [];
    const next = new Map<string, Member>();
    for (const address of addresses) {
      const key = formatAddress(address);
      if (next.has(key)) continue;
      const kept = known.get(key);
      const member = kept ?? this.#join(address, key);
      if (kept === undefined) added.push(member);
      next.set(key, member);
    }
    for (const [key, load] of this.#departed) if (load.open === 0) this.#departed.delete(key);
    const removed = this.#members.filter(({ key }) => !next.has(key));
    for (const { key, load } of removed) if (load.open > 0) this.#departed.set(key, load);
    this.#members = [...next.values()];
    return { added, removed };
  }

  /** Whether `candidate` is still a member. */
  has(candidate: Candidate): boolean {
    return (this.#members as readonly Candidate[]).includes(candidate);
  }

  /** Begins choosing for one new connection, or anew for one that has found nobody. */
  select(): Selection {
    return new Selection(this.#view);
  }

  #join(address: Address, key: string): Member {
    const load = this.#departed.get(key) ?? { open: 0 };
    this.#departed.delete(key);
    return new Member({ address, key, health: new Health(this.#ejection), load });
  }
}
