/** What the system refuses to us, whoever is dialed: no fault of a candidate, and no other candidate would help. */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/**
 * Whether a failed dial is this process's or machine's own trouble. `EADDRNOTAVAIL` is not: ports run out for one
 * destination at a time, and another candidate may well be reached.
 */
export function isShortage(errno: string): boolean {
  return SHORTAGES.has(errno);
}

/** A change of {@link Admission}. */
export interface AdmissionChange {
  readonly state: 'exhausted' | 'recovered';
  /** Connections that have been let in and are open. */
  readonly connections: number;
  /** What the system said; undefined when it is our own bound that was met. */
  readonly errno: string | undefined;
  /** Clients turned away since it was exhausted. */
  readonly refused: number;
}

export interface AdmissionOptions {
  /** Connections that the process has room for; Infinity: not known. */
  readonly most: number;
  readonly onChange: (change: AdmissionChange) => void;
}

/** Nobody is let in for so long after the system has refused something, so that what is left goes to those who are in. */
export const BACK_OFF_MS = 1_000;
/** Without a refusal for so long it counts as over; also the least time between two reports. */
export const QUIET_MS = 3_000;

type State =
  | { readonly phase: 'open' }
  | {
      readonly phase: 'exhausted';
      readonly errno: string | undefined;
      /** Timer that looks whether it is over. */
      readonly timer: NodeJS.Timeout;
    };

/** The door of the whole process: lets in as many connections as it has descriptors for, over all services. */
export class Admission {
  readonly #options: AdmissionOptions;
  #inside = 0;
  #state: State = { phase: 'open' };
  #refused = 0;
  #troubledAt = -Infinity;
  #failedAt = -Infinity;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Takes a place, to be given back by `leave`. @returns false: there is none, the client is to be turned away */
  enter(): boolean {
    const now = performance.now();
    if (this.#inside < this.#options.most && now - this.#failedAt >= BACK_OFF_MS) {
      this.#inside += 1;
      return true;
    }
    this.#refused += 1;
    this.#troubled(now, undefined);
    return false;
  }

  leave(): void {
    this.#inside -= 1;
  }

  /** The system has refused a descriptor or memory to us. */
  failed(errno: string): void {
    this.#failedAt = performance.now();
    this.#troubled(this.#failedAt, errno);
  }

  /** Ends its timer. */
  close(): void {
    if (this.#state.phase === 'exhausted') clearInterval(this.#state.timer);
    this.#state = { phase: 'open' };
  }

  #troubled(now: number, errno: string | undefined): void {
    this.#troubledAt = now;
    if (this.#state.phase === 'exhausted') return;
    const timer = setInterval(() => this.#look(), QUIET_MS / 3);
    timer.unref();
    this.#state = { phase: 'exhausted', errno, timer };
    this.#tell('exhausted', errno);
  }

  #look(): void {
    const state = this.#state;
    if (state.phase === 'open' || performance.now() - this.#troubledAt < QUIET_MS) return;
    clearInterval(state.timer);
    this.#state = { phase: 'open' };
    this.#tell('recovered', state.errno);
    this.#refused = 0;
  }

  #tell(state: AdmissionChange['state'], errno: string | undefined): void {
    this.#options.onChange({ state, errno, connections: this.#inside, refused: this.#refused });
  }
}
