import type { Candidate } from './candidate.ts';
import { isOwnFault, type Attempt, type HealthChange } from './ejection.ts';
import type { Member } from './member.ts';
import type { Policy, Turn } from './policies.ts';

/** What a selection needs of its pool. One object per pool. */
export interface SelectionPool {
  readonly policy: Policy;
  readonly now: () => number;
  /** The set as it is now. */
  readonly members: () => readonly Member[];
  /** Whether a member is to be used as long as there is another such. */
  readonly isUsable: (member: Member) => boolean;
  readonly changed: (member: Member, change: HealthChange, errno: string | undefined) => void;
}

/** What the connection has of the candidate that it was given last. */
type Hold =
  | { readonly phase: 'none' }
  | { readonly phase: 'dialing'; readonly member: Member; readonly attempt: Attempt }
  | { readonly phase: 'carried'; readonly member: Member };

const NONE: Hold = { phase: 'none' };
const anyone = () => true;

/**
 * The candidates one connection tries, one after the other, each at most once. It asks the pool as it is at that
 * moment, so a candidate that left while an earlier one was being dialed is never tried.
 *
 * Every candidate given counts as open until `failed` or `release`; whoever holds a selection calls `release` when
 * the connection is over, in whatever way.
 */
export class Selection {
  readonly #pool: SelectionPool;
  readonly #turn: Turn;
  #tried: readonly Member[] = [];
  #hold: Hold = NONE;

  constructor(pool: SelectionPool) {
    this.#pool = pool;
    this.#turn = pool.policy.begin();
  }

  /** The next candidate to dial, at once; undefined when this connection has none left. */
  next(): Candidate | undefined {
    this.release();
    const members = this.#pool.members();
    // One that has left is no failure of this connection: it must not use up the tries that the policy allows.
    if (this.#tried.length > 0) this.#tried = this.#tried.filter((member) => members.includes(member));
    if (this.#tried.length > this.#pool.policy.retries) return undefined;
    const member = this.#choose(members);
    if (member === undefined) return undefined;
    this.#tried = [...this.#tried, member];
    member.load.open += 1;
    this.#hold = { phase: 'dialing', member, attempt: member.health.attempt(this.#pool.now) };
    return member;
  }

  /** The candidate given last has answered, and carries the connection from now on. */
  answered(): void {
    if (this.#hold.phase !== 'dialing') return;
    const { member } = this.#hold;
    this.#hold = { phase: 'carried', member };
    const change = member.health.succeeded();
    if (change !== undefined) this.#pool.changed(member, change, undefined);
  }

  /**
   * The candidate given last has not answered.
   *
   * @param errno why, as the dial tells it; a fault of ours counts nothing against the candidate
   */
  failed(errno: string): void {
    if (this.#hold.phase !== 'dialing') return;
    if (isOwnFault(errno)) {
      this.release();
      return;
    }
    const { member, attempt } = this.#hold;
    this.#leave(member);
    const change = member.health.failed(attempt, errno, this.#pool.now());
    if (change !== undefined) this.#pool.changed(member, change, errno);
  }

  /** The connection has no more to do with the candidate given last. May be called twice. */
  release(): void {
    const hold = this.#hold;
    if (hold.phase === 'none') return;
    if (hold.phase === 'dialing') hold.member.health.abandoned(hold.attempt);
    this.#leave(hold.member);
  }

  #choose(members: readonly Member[]): Member | undefined {
    const [turn, tried, { isUsable }] = [this.#turn, this.#tried, this.#pool];
    // Who is set aside is never skipped: with nobody else left they are tried.
    if (tried.length === 0) return turn.next(members, isUsable) ?? turn.next(members, anyone);
    const isNew = (member: Member) => !tried.includes(member);
    return turn.next(members, (member) => isNew(member) && isUsable(member)) ?? turn.next(members, isNew);
  }

  #leave(member: Member): void {
    this.#hold = NONE;
    member.load.open -= 1;
  }
}
