import { isOwnFault, type FailureCode } from '../core/dial-failure.ts';
import type { Candidate } from './candidate.ts';
import type { Attempt, EjectionChange } from './ejection.ts';
import type { Member } from './member.ts';
import type { Fits, PickFor, Picker, Policy } from './policies.ts';
import { LoadTicket } from './load-ticket.ts';

/** What a selection needs of its pool. One object per pool. */
export interface SelectionPool {
  readonly policy: Policy;
  readonly now: () => number;
  /** The set as it is now. */
  readonly members: () => readonly Member[];
  /** Whether a member is to be used as long as there is another such. */
  readonly isUsable: (member: Member) => boolean;
  /** Whether checks speak for a member; the others are the last resort. Undefined: nobody checks. */
  readonly isWell: ((member: Member) => boolean) | undefined;
  readonly changed: (member: Member, change: EjectionChange, errno: string | undefined) => void;
}

/** The candidate that is being dialed. */
interface Dialing {
  readonly member: Member;
  readonly attempt: Attempt;
  readonly ticket: LoadTicket;
}

const anyone = () => true;

/**
 * The candidates one connection tries, one after the other, each at most once. It asks the pool as it is at that
 * moment, so a candidate that left while an earlier one was being dialed is never tried.
 *
 * A candidate that is given counts as open until it is told to have failed or is released; the ticket on one that has
 * answered is its connection's to leave. A client that is held begins a new selection each time.
 */
export class Selection {
  readonly #pool: SelectionPool;
  readonly #picker: Picker;
  #tried: readonly Member[] = [];
  #dialing: Dialing | undefined;

  constructor(pool: SelectionPool, connection: PickFor) {
    this.#pool = pool;
    this.#picker = pool.policy.begin(connection);
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
    const ticket = new LoadTicket(member.load);
    this.#dialing = { member, attempt: member.health.attempt(this.#pool.now), ticket };
    return member;
  }

  /** The candidate given last has answered. @returns its ticket, to be left when the connection is over */
  answered(): LoadTicket {
    const { member, ticket } = this.#settle();
    const change = member.health.succeeded();
    if (change !== undefined) this.#pool.changed(member, change, undefined);
    return ticket;
  }

  /**
   * The candidate given last has not answered.
   *
   * @param errno why, as the dial tells it; a fault of ours counts nothing against the candidate
   */
  failed(errno: FailureCode): void {
    if (this.#dialing === undefined || isOwnFault(errno)) {
      this.release();
      return;
    }
    const { member, attempt, ticket } = this.#settle();
    ticket.leave();
    const change = member.health.failed(attempt, errno, this.#pool.now());
    if (change !== undefined) this.#pool.changed(member, change, errno);
  }

  /** The candidate given last is not dialed any more, nor has it answered. May be called when none is being dialed. */
  release(): void {
    if (this.#dialing === undefined) return;
    const { member, attempt, ticket } = this.#settle();
    member.health.abandoned(attempt);
    ticket.leave();
  }

  #settle(): Dialing {
    const dialing = this.#dialing;
    if (dialing === undefined) throw new Error('an outcome of a candidate that is not being dialed');
    this.#dialing = undefined;
    return dialing;
  }

  #choose(members: readonly Member[]): Member | undefined {
    const [tried, { isUsable, isWell }] = [this.#tried, this.#pool];
    const pick = (fits: Fits<Member>) => this.#pick(members, fits);
    // Who is ejected, or unhealthy, is never skipped: with nobody else left they are tried.
    if (tried.length === 0 && isWell === undefined) return pick(isUsable) ?? pick(anyone);
    const isNew = (member: Member) => !tried.includes(member);
    const isNewAndUsable = (member: Member) => isNew(member) && isUsable(member);
    if (isWell === undefined) return pick(isNewAndUsable) ?? pick(isNew);
    const best = pick((member) => isNewAndUsable(member) && isWell(member)) ?? pick((it) => isNew(it) && isWell(it));
    return best ?? pick(isNewAndUsable) ?? pick(isNew);
  }

  /** Of the first priority that has anybody; `members` stand by priority. */
  #pick(members: readonly Member[], fits: Fits<Member>): Member | undefined {
    const last = members.at(-1);
    if (last === undefined) return undefined;
    if (members[0]?.priority === last.priority) return this.#picker.next(members, fits);
    for (const priority of new Set(members.map((member) => member.priority))) {
      const group = members.filter((member) => member.priority === priority);
      const chosen = this.#picker.next(group, fits);
      if (chosen !== undefined) return chosen;
    }
    return undefined;
  }
}
