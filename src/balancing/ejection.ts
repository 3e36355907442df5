import type { FailureCode } from '../core/dial-failure.ts';
import type { CandidateStatus } from '../core/status.ts';

/** When a candidate is ejected (passive ejection), and for how long. */
export interface EjectionSettings {
  /** Connect failures in a row; 0: never. */
  readonly maxFails: number;
  /** ms; 0: never ejected at all. */
  readonly failTimeoutMs: number;
}

/**
 * What an outcome has changed. `again`: the connection that probed it failed, so it has not been of use since it was first
 * ejected.
 */
export type EjectionChange =
  | { readonly kind: 'ejected'; readonly fails: number; readonly forMs: number; readonly again: boolean }
  /** `by`: what found that it answers, a client's connection or a probe. */
  | { readonly kind: 'recovered'; readonly by: 'connection' | 'probe' };

/** What one connection learns of a candidate: begun by {@link PassiveHealth.attempt}, ended by exactly one of the other calls. */
export interface Attempt {
  /** The one connection that a candidate gets after its ejection. */
  readonly isProbing: boolean;
  readonly era: number;
}

type State =
  | { readonly kind: 'available' }
  /** `until` is of the pool's clock; once it has passed the next connection probes it. */
  | { readonly kind: 'ejected'; readonly until: number }
  | { readonly kind: 'probing' };

const AVAILABLE: State = { kind: 'available' };
const PROBING: State = { kind: 'probing' };

/** The health of one candidate, as connections and probes find it. No timer runs here. */
export class PassiveHealth {
  readonly #settings: EjectionSettings;
  #state: State = AVAILABLE;
  #fails = 0;
  #lastErrno: string | undefined;
  /** Goes up with every recovery: what was begun before one says nothing about the time after it. */
  #era = 0;

  constructor(settings: EjectionSettings) {
    this.#settings = settings;
  }

  get status(): Pick<CandidateStatus, 'state' | 'fails' | 'lastErrno'> {
    const status = { state: this.#state.kind, fails: this.#fails };
    return this.#lastErrno === undefined ? status : { ...status, lastErrno: this.#lastErrno };
  }

  /** Whether it is to be used like any other: it is available, or its ejection is over and nobody is probing it. */
  isUsable(now: () => number): boolean {
    const state = this.#state;
    return state.kind === 'available' || (state.kind === 'ejected' && now() >= state.until);
  }

  /** A probe begins. @returns what its success is to be told with; undefined: it is not ejected, there is nothing to find out */
  probe(): number | undefined {
    return this.#state.kind === 'available' ? undefined : this.#era;
  }

  /** The probe that began in `era` was answered. One that began before a recovery says nothing about the time after it. */
  probed(era: number): EjectionChange | undefined {
    return era === this.#era ? this.#recover('probe') : undefined;
  }

  /** A connection begins to dial it. */
  attempt(now: () => number): Attempt {
    const isProbing = this.#state.kind === 'ejected' && this.isUsable(now);
    if (isProbing) this.#state = PROBING;
    return { isProbing, era: this.#era };
  }

  /** It answered: that ends its ejection at once, whichever connection it was. */
  succeeded(): EjectionChange | undefined {
    return this.#recover('connection');
  }

  failed(attempt: Attempt, errno: FailureCode, now: number): EjectionChange | undefined {
    if (attempt.era !== this.#era) return undefined;
    const { maxFails, failTimeoutMs } = this.#settings;
    this.#fails += 1;
    this.#lastErrno = errno;
    // While it is ejected only the connection that probes it decides: failures of those that had nobody else must not put
    // that off for ever.
    const isDue = this.#state.kind === 'available' ? this.#fails >= maxFails : attempt.isProbing;
    if (!isDue || maxFails === 0 || failTimeoutMs === 0) return undefined;
    this.#state = { kind: 'ejected', until: now + failTimeoutMs };
    return { kind: 'ejected', fails: this.#fails, forMs: failTimeoutMs, again: attempt.isProbing };
  }

  /** The attempt was given up without an answer: the next connection probes in its place. */
  abandoned(attempt: Attempt): void {
    if (attempt.isProbing && attempt.era === this.#era) this.#state = { kind: 'ejected', until: -Infinity };
  }

  #recover(by: 'connection' | 'probe'): EjectionChange | undefined {
    this.#fails = 0;
    this.#lastErrno = undefined;
    if (this.#state.kind === 'available') return undefined;
    this.#state = AVAILABLE;
    this.#era += 1;
    return { kind: 'recovered', by };
  }
}
