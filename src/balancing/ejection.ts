import type { CandidateStatus } from './candidate.ts';

/** When a candidate is set aside (passive ejection), and for how long. */
export interface EjectionSettings {
  /** Connect failures in a row; 0: never. */
  readonly maxFails: number;
  /** ms; 0: never set aside at all. */
  readonly failTimeoutMs: number;
}

/** What an outcome has changed. `again`: its trial failed, so it has not been of use since it was first set aside. */
export type HealthChange =
  | { readonly kind: 'ejected'; readonly fails: number; readonly forMs: number; readonly again: boolean }
  | { readonly kind: 'recovered' };

/** What one connection learns of a candidate: begun by {@link Health.attempt}, ended by exactly one of the other calls. */
export interface Attempt {
  /** The one connection that a candidate gets after its time aside. */
  readonly isTrial: boolean;
  readonly era: number;
}

type State =
  | { readonly kind: 'available' }
  /** `until` is of the pool's clock; once it has passed the next connection is the trial. */
  | { readonly kind: 'aside'; readonly until: number }
  | { readonly kind: 'trial' };

const AVAILABLE: State = { kind: 'available' };
const TRIAL: State = { kind: 'trial' };

/**
 * Faults of ours, which say nothing about the candidate: it left the set while it was dialed, there was no certificate to
 * show, or this machine had no descriptor, memory or port left for the socket.
 */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  'REMOVED',
  'NO_MATERIAL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
]);

export function isOwnFault(errno: string): boolean {
  return OWN_FAULTS.has(errno);
}

/** The health of one candidate, as connections find it: nothing is probed, no timer runs. */
export class Health {
  readonly #settings: EjectionSettings;
  #state: State = AVAILABLE;
  #fails = 0;
  #lastErrno: string | undefined;
  /** Goes up with every recovery: what was begun before one says nothing about the time after it. */
  #era = 0;

  constructor(settings: EjectionSettings) {
    this.#settings = settings;
  }

  get status(): Omit<CandidateStatus, 'key' | 'open'> {
    const status = { state: this.#state.kind, fails: this.#fails };
    return this.#lastErrno === undefined ? status : { ...status, lastErrno: this.#lastErrno };
  }

  /** Whether it is to be used like any other: it is available, or its time aside is over and nobody is on trial. */
  isUsable(now: () => number): boolean {
    const state = this.#state;
    return state.kind === 'available' || (state.kind === 'aside' && now() >= state.until);
  }

  /** A connection begins to dial it. */
  attempt(now: () => number): Attempt {
    const isTrial = this.#state.kind === 'aside' && this.isUsable(now);
    if (isTrial) this.#state = TRIAL;
    return { isTrial, era: this.#era };
  }

  /** It answered: that ends its time aside at once, whichever connection it was. */
  succeeded(): HealthChange | undefined {
    this.#fails = 0;
    this.#lastErrno = undefined;
    if (this.#state.kind === 'available') return undefined;
    this.#state = AVAILABLE;
    this.#era += 1;
    return { kind: 'recovered' };
  }

  failed(attempt: Attempt, errno: string, now: number): HealthChange | undefined {
    if (attempt.era !== this.#era) return undefined;
    const { maxFails, failTimeoutMs } = this.#settings;
    this.#fails += 1;
    this.#lastErrno = errno;
    // While it is aside only the trial decides: failures of those that had nobody else must not put it off for ever.
    const isDue = this.#state.kind === 'available' ? this.#fails >= maxFails : attempt.isTrial;
    if (!isDue || maxFails === 0 || failTimeoutMs === 0) return undefined;
    this.#state = { kind: 'aside', until: now + failTimeoutMs };
    return { kind: 'ejected', fails: this.#fails, forMs: failTimeoutMs, again: attempt.isTrial };
  }

  /** The attempt was given up without an answer: the next connection is the trial in its place. */
  abandoned(attempt: Attempt): void {
    if (attempt.isTrial && attempt.era === this.#era) this.#state = { kind: 'aside', until: -Infinity };
  }
}
