import { sameEndpoints, type Endpoint } from '../../core/endpoint.ts';
import type { EtcdView } from './view.ts';
import { tooMany, type MemberReader } from '../members.ts';

export interface MembershipGuardOptions {
  readonly reader: Pick<MemberReader, 'read'>;
  /** How long an empty list of a backend that went back in time is not believed, ms. */
  readonly graceMs: number;
  /** A change is considered after this long without a further one, ms ... */
  readonly coalesceMs: number;
  /** ... and after this long at the latest, ms. */
  readonly coalesceMaxMs: number;
  /** A view with more names is not believed; 0: no limit. */
  readonly maxMembers: number;
  /** Told why, each time that such a view is considered. */
  readonly excessive: (excess: string) => void;
  /** Gets each set that differs from the last one. */
  readonly deliver: (set: readonly Endpoint[]) => void;
  /** Doubt began or ended; it says whether the set in force is what the backend holds. */
  readonly doubtChanged: (doubted: boolean) => void;
}

type Doubt =
  | { readonly kind: 'none' }
  | { readonly kind: 'grace'; readonly timer: NodeJS.Timeout }
  /** The grace ran out while nobody could be asked: the next answer counts, whatever it says. */
  | { readonly kind: 'expired' };

/**
 * Decides which candidate set is in force, given what etcd says.
 *
 * A backend that comes back with a lower revision has lost its data. If it then lists nothing, its members are most
 * likely alive and about to register again: their set stays for a grace. Members it lists, and members deleted one by
 * one, are believed at once.
 */
export class MembershipGuard {
  readonly #options: MembershipGuardOptions;
  #view: EtcdView | undefined;
  /** The last set believed, whether or not it is in force. */
  #held: readonly Endpoint[] = [];
  /** The set in force; undefined until there was one. */
  #delivered: readonly Endpoint[] | undefined;
  #doubt: Doubt = { kind: 'none' };
  #quiet: NodeJS.Timeout | undefined;
  #latest: NodeJS.Timeout | undefined;
  #regressions = 0;
  #live = false;
  #isExcessive = false;

  constructor(options: MembershipGuardOptions) {
    this.#options = options;
  }

  /** Times a backend came back with a revision below the one we held. */
  get regressions(): number {
    return this.#regressions;
  }

  /** Whether the set in force is kept against what the backend says. */
  get doubted(): boolean {
    return this.#isExcessive || this.#doubt.kind !== 'none';
  }

  /** A new session has listed. */
  listed(view: EtcdView): void {
    const regressed = this.#view !== undefined && view.revision < this.#view.revision;
    if (regressed) this.#regressions += 1;
    this.#view = view;
    this.#live = true;
    this.#consider(regressed);
  }

  /** The view that was listed last has changed. */
  changed(): void {
    const { coalesceMs, coalesceMaxMs } = this.#options;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#consider(false), coalesceMs);
    this.#latest ??= setTimeout(() => this.#consider(false), coalesceMaxMs);
  }

  /** The session is over: what the view says is no longer kept up to date. */
  disconnected(): void {
    this.#live = false;
  }

  /** Puts the empty set in force until the backend is back. */
  clear(): void {
    if (this.#delivered !== undefined) this.#deliver([]);
  }

  stop(): void {
    this.#forgetChanges();
    if (this.#doubt.kind === 'grace') clearTimeout(this.#doubt.timer);
  }

  #consider(regressed: boolean): void {
    this.#forgetChanges();
    const excess = tooMany(this.#view?.members.size ?? 0, this.#options.maxMembers);
    if (excess !== undefined) {
      this.#isExcessive = true;
      this.#options.excessive(excess);
      return;
    }
    const members = this.#options.reader.read(this.#view?.members ?? []);
    if (members.length === 0 && this.#held.length > 0) {
      if (regressed && this.#doubt.kind === 'none') this.#beginGrace();
      if (this.#doubt.kind === 'grace') return;
    }
    this.#believe(members);
  }

  #forgetChanges(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#latest);
    this.#latest = undefined;
  }

  #beginGrace(): void {
    const timer = setTimeout(() => {
      this.#doubt = { kind: 'expired' };
      if (this.#live) this.#consider(false);
    }, this.#options.graceMs);
    this.#doubt = { kind: 'grace', timer };
    this.#options.doubtChanged(true);
  }

  #believe(members: readonly Endpoint[]): void {
    const { doubted } = this;
    if (this.#doubt.kind === 'grace') clearTimeout(this.#doubt.timer);
    this.#doubt = { kind: 'none' };
    this.#isExcessive = false;
    this.#held = members;
    this.#deliver(members);
    if (doubted) this.#options.doubtChanged(false);
  }

  #deliver(set: readonly Endpoint[]): void {
    // Both come from one reader, which sorts: the same members stand in the same order.
    if (this.#delivered !== undefined && sameEndpoints(this.#delivered, set)) return;
    this.#delivered = set;
    this.#options.deliver(set);
  }
}
