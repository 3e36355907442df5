/** Something has run short, or has not any more. */
export interface ShortageChange {
  readonly state: 'exhausted' | 'recovered';
  /** What the system said; undefined when it is our own bound that was met. */
  readonly errno: string | undefined;
  /** Clients refused since the state was `exhausted`. */
  readonly refused: number;
}

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

/** Makes two reports of any number of refusals: when they begin, and when there has been none for a while. */
export class Shortage {
  readonly #onChange: (change: ShortageChange) => void;
  #state: State = { phase: 'open' };
  #refused = 0;
  #troubledAt = -Infinity;

  constructor(onChange: (change: ShortageChange) => void) {
    this.#onChange = onChange;
  }

  get isOn(): boolean {
    return this.#state.phase === 'exhausted';
  }

  /** A client is turned away. */
  refused(): void {
    this.#refused += 1;
    this.troubled(undefined);
  }

  troubled(errno: string | undefined): void {
    this.#troubledAt = performance.now();
    if (this.#state.phase === 'exhausted') return;
    const timer = setInterval(() => this.#look(), QUIET_MS / 3);
    timer.unref();
    this.#state = { phase: 'exhausted', errno, timer };
    this.#onChange({ state: 'exhausted', errno, refused: this.#refused });
  }

  /** Ends its timer. */
  close(): void {
    if (this.#state.phase === 'exhausted') clearInterval(this.#state.timer);
    this.#state = { phase: 'open' };
  }

  #look(): void {
    const state = this.#state;
    if (state.phase === 'open' || performance.now() - this.#troubledAt < QUIET_MS) return;
    this.close();
    this.#onChange({ state: 'recovered', errno: state.errno, refused: this.#refused });
    this.#refused = 0;
  }
}
