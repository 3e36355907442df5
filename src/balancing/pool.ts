import type { Address } from '../core/address.ts';
import { toEndpoint, type Endpoint } from '../core/endpoint.ts';
import type { CandidateStatus } from '../core/status.ts';
import type { Candidate } from './candidate.ts';
import { PassiveHealth, type EjectionSettings, type EjectionChange } from './ejection.ts';
import { Member } from './member.ts';
import type { PickFor, Policy } from './policies.ts';
import type { Load } from './load-ticket.ts';
import { Selection, type SelectionPool } from './selection.ts';

export interface PoolOptions {
  /** Default: no candidate is ever ejected. */
  readonly ejection?: EjectionSettings;
  /** Keys of members that get no new connections. The owner of the set changes it. */
  readonly drained?: ReadonlySet<string>;
  /** What checks have found of its members; default: nothing. */
  readonly checks?: CheckedHealth | undefined;
  /** A candidate was ejected, with the fault that did it, or is of use again. */
  readonly onHealth?: (candidate: Candidate, change: EjectionChange, errno: string | undefined) => void;
  /** Monotonic, ms; default: `performance.now`. A jump of the wall clock changes nothing. */
  readonly now?: () => number;
}

/** What checks have found, by the key of a member. */
export interface CheckedHealth {
  /** Whether a new connection may go to it at all. */
  isEligible(key: string): boolean;
  /** Whether it is the last resort. */
  isUnhealthy(key: string): boolean;
}

const SOMEBODY: PickFor = { client: 'unknown' };
const NEVER: EjectionSettings = { maxFails: 0, failTimeoutMs: 0 };

/** The candidate set of one service. Swapped whole; members that stay keep their identity and their health. */
export class Pool {
  readonly #ejection: EjectionSettings;
  readonly #drained: ReadonlySet<string>;
  readonly #checks: CheckedHealth | undefined;
  #view: SelectionPool;
  /** By priority, otherwise in the order of the set. */
  #members: readonly Member[] = [];
  #hasWeightless = false;
  /** Loads of addresses that have left with connections open: those that stay on it count again when it comes back. */
  readonly #departed = new Map<string, Load>();

  constructor(policy: Policy, options: PoolOptions = {}) {
    const { ejection = NEVER, drained = new Set(), checks, onHealth, now = () => performance.now() } = options;
    this.#ejection = ejection;
    this.#checks = checks;
    this.#drained = drained;
    this.#view = {
      policy,
      now,
      members: () => this.eligible,
      isUsable: ({ health }) => health.isUsable(now),
      isWell: checks === undefined ? undefined : ({ key }) => !checks.isUnhealthy(key),
      changed: (member, change, errno) => onHealth?.(member, change, errno),
    };
  }

  /** Connections that choose from now on follow `policy`. */
  follow(policy: Policy): void {
    this.#view = { ...this.#view, policy };
  }

  get candidates(): readonly Candidate[] {
    return this.#members;
  }

  get statuses(): readonly CandidateStatus[] {
    return this.#members.map(({ status }) => status);
  }

  /** Of {@link Pool.undrained}, those that new connections may go to as far as checks know. */
  get eligible(): readonly Member[] {
    const [members, checks] = [this.undrained, this.#checks];
    return checks === undefined ? members : members.filter(({ key }) => checks.isEligible(key));
  }

  /** Those that nobody has taken out of rotation. */
  get undrained(): readonly Member[] {
    if (this.#drained.size === 0 && !this.#hasWeightless) return this.#members;
    return this.#members.filter(({ key, weight }) => weight > 0 && !this.#drained.has(key));
  }

  /** Swaps the whole set: by priority, otherwise in the order given. */
  replace(set: readonly (Endpoint | Address)[]): void {
    const known = new Map(this.#members.map((member) => [member.key, member]));
    const next = new Map<string, Member>();
    for (const endpoint of set.map(toEndpoint)) {
      const { key } = endpoint;
      if (next.has(key)) continue;
      const kept = known.get(key);
      kept?.describe(endpoint);
      next.set(key, kept ?? this.#join(endpoint));
    }
    for (const [key, load] of this.#departed) if (load.open === 0) this.#departed.delete(key);
    for (const { key, load } of this.#members) if (!next.has(key) && load.open > 0) this.#departed.set(key, load);
    this.#members = [...next.values()].sort((a, b) => a.priority - b.priority);
    this.#hasWeightless = this.#members.some(({ weight }) => weight === 0);
  }

  /** Whether `candidate` is still a member. */
  has(candidate: Candidate): boolean {
    return (this.#members as readonly Candidate[]).includes(candidate);
  }

  /**
   * Begins to find out whether an ejected candidate answers.
   *
   * @returns to be called when it does; undefined: it is not ejected, it is drained, or it has left
   */
  probe(candidate: Candidate): (() => void) | undefined {
    const member = this.undrained.find((one) => one === candidate);
    const era = member?.health.probe();
    if (member === undefined || era === undefined) return undefined;
    return () => {
      const change = this.has(member) ? member.health.probed(era) : undefined;
      if (change !== undefined) this.#view.changed(member, change, undefined);
    };
  }

  /** Begins choosing for one new connection, or anew for one that has found nobody. */
  select(connection: PickFor = SOMEBODY): Selection {
    return new Selection(this.#view, connection);
  }

  #join(endpoint: Endpoint): Member {
    const { key } = endpoint;
    const load = this.#departed.get(key) ?? { open: 0 };
    this.#departed.delete(key);
    return new Member(endpoint, { health: new PassiveHealth(this.#ejection), load });
  }
}
