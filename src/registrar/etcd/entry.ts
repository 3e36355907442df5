import {
  isSameState,
  type Registration,
  type RegistrationListener,
  type RegistrationState,
  type RegistryEntry,
} from '../registration.ts';

/** What this session of etcd knows of the key. */
export type Holding =
  | { readonly kind: 'unknown' }
  /** With what stands there, and the revision of which that is known. */
  | { readonly kind: 'ours'; readonly value: string; readonly revision: number }
  /** Somebody else's, or deleted by somebody: tried again at this moment of the monotonic clock, ms. */
  | { readonly kind: 'taken' | 'deleted'; readonly retryAt: number };

/** A registration as the lease session sees it. */
export class LeasedEntry implements Registration {
  #entry: RegistryEntry;
  readonly #listener: RegistrationListener;
  readonly #wake: () => void;
  #isWanted = false;
  #state: RegistrationState = { phase: 'withdrawn' };
  #holding: Holding = { kind: 'unknown' };
  #releases: (() => void)[] = [];

  constructor(entry: RegistryEntry, options: { readonly listener: RegistrationListener; readonly wake: () => void }) {
    this.#entry = entry;
    this.#listener = options.listener;
    this.#wake = options.wake;
  }

  get entry(): RegistryEntry {
    return this.#entry;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  get holding(): Holding {
    return this.#holding;
  }

  want(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    // Wanted anew: what somebody deleted is put back at once.
    if (this.#holding.kind === 'deleted') this.#holding = { kind: 'unknown' };
    this.#tell(isWanted ? { phase: 'waiting', error: undefined } : { phase: 'withdrawn' });
    this.#wake();
  }

  write(value: string): void {
    if (value === this.#entry.value) return;
    this.#entry = { ...this.#entry, value };
    this.#wake();
  }

  async released(): Promise<void> {
    if (this.#holding.kind === 'ours') await new Promise<void>((resolve) => this.#releases.push(resolve));
  }

  /** When it has to be tried again; undefined: not before something changes. */
  get retryAt(): number | undefined {
    if (!this.#isWanted) return undefined;
    return this.#holding.kind === 'taken' || this.#holding.kind === 'deleted' ? this.#holding.retryAt : undefined;
  }

  /** Whether etcd has to be told something at this moment. */
  isDue(now: number): boolean {
    if (!this.#isWanted) return this.#holding.kind === 'ours';
    if (this.#holding.kind === 'unknown') return true;
    // Another value is put by another claim.
    if (this.#holding.kind === 'ours') return this.#holding.value !== this.#entry.value;
    return this.retryAt !== undefined && this.retryAt <= now;
  }

  holds(holding: Holding): void {
    this.#keep(holding);
    if (!this.#isWanted) return;
    if (holding.kind === 'ours') this.#tell({ phase: 'registered' });
    if (holding.kind === 'taken') this.#tell({ phase: 'conflict' });
    if (holding.kind === 'deleted') this.#tell({ phase: 'removed' });
  }

  /** The session is over, or none came up: nothing is known of the key any more. */
  lost(error: string): void {
    this.#keep({ kind: 'unknown' });
    if (this.#isWanted) this.#tell({ phase: 'waiting', error });
  }

  #keep(holding: Holding): void {
    this.#holding = holding;
    if (holding.kind === 'ours') return;
    for (const resolve of this.#releases.splice(0)) resolve();
  }

  #tell(state: RegistrationState): void {
    const before = this.#state;
    this.#state = state;
    if (!isSameState(before, state)) this.#listener(this);
  }
}
