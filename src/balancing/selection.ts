import type { Candidate } from './candidate.ts';
import { isOwnFault, type Attempt, type HealthChange } from './ejection.ts';
import type { Member } from './member.ts';
import type { Policy, Turn } from './policies.ts';
import { Seat } from './seat.ts';

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

/** The candidate that is being dialed. */
interface Dialing {
  readonly member: Member;
  readonly attempt: Attempt;
  readonly seat: Seat;
}

const anyone = () => true;

/**
 * The candidates one connection tries, one after the other, each at most once. It asks the pool as it is at that
 * moment, so a candidate that left while an earlier one was being dialed is never tried.
 *
 * A candidate that is given counts as open until it is told to have failed or is released; the seat on one that has
 * answered is its connection's to leave. A client that is held begins a new selection each time.
 */
export class Selection {
  readonly #pool: SelectionPool;
  readonly #turn: Turn;
  #tried: readonly Member[] = [];
  #dialing: Dialing | undefined;

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
    const seat = new Seat(member.load);
    this.#dialing = { member, attempt: member.health.attempt(this.#pool.now), seat };
    return member;
  }

  /** The candidate given last has answered. @returns its seat, to be left when the connection is over */
  answered(): Seat {
    const { member, seat } = this.#settle();
    const change = member.health.succeeded();
    if (change !== undefined) this.#pool.changed(member, change, undefined);
    return seat;
  }

  /**
   * The candidate given last has not answered.
   *
   * @param errno why, as the dial tells it; a fault of ours counts nothing against the candidate
   */
  failed(errno: string): void {
    if (this.#dialing === undefined || isOwnFault(errno)) {
      this.release();
      return;
    }
    const { member, attempt, seat } = this.#settle();
    seat.leave();
    const change = member.health.failed(attempt, errno, this.#pool.now());
    if (change !== undefined) this.#pool.changed(member, change, errno);
  }

  /** The candidate given last is not dialed any more, nor has it answered. May be called when none is being dialed. */
  release(): void {
    if (this.#dialing === undefined) return;
    const { member, attempt, seat } = this.#settle();
    member.health.abandoned(attempt);
    seat.leave();
  }

  #settle(): Dialing {
    const dialing = this.#dialing;
    if (dialing === undefined) throw new Error('an outcome of a candidate that is not being dialed');
    this.#dialing = undefined;
    return dialing;
  }

  #choose(members: readonly Member[]): Member | undefined {
    const [turn, tried, { isUsable }] = [this.#turn, this.#tried, this.#pool];
    // Who is set aside is never skipped: with nobody else left they are tried.
    if (tried.length === 0) return turn.next(members, isUsable) ?? turn.next(members, anyone);
    const isNew = (member: Member) => !tried.includes(member);
    return turn.next(members, (member) => isNew(member) && isUsable(member)) ?? turn.next(members, isNew);
  }
}
