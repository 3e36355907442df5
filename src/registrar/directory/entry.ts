import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import {
  isSameState,
  type Registration,
  type RegistrationListener,
  type RegistrationState,
  type RegistryEntry,
} from '../registration.ts';
import { EntryFile, type Found } from './entry-file.ts';

export interface FileEntryOptions {
  readonly root: string;
  readonly ttlMs: number;
  readonly listener: RegistrationListener;
}

/** Signs of life in one TTL. */
const BEATS = 3;
/** While the directory cannot be used. */
const RETRY_MS = 1_000;
/** Somebody was faster. */
const RETRY_SOON_MS = 100;

/** One entry that is a file: looked after in turns, of which no two overlap. */
export class FileEntry implements Registration {
  #entry: RegistryEntry;
  readonly #options: FileEntryOptions;
  readonly #file: EntryFile;
  #isWanted = false;
  #state: RegistrationState = { phase: 'withdrawn' };
  /** It has been put there, and has not been seen to be gone. */
  #isOurs = false;
  /** It may have been put there, and has not been taken away. */
  #isToRemove = false;
  /** `performance.now()` at which it was seen that somebody deleted it. */
  #deletedAt: number | undefined;
  /** Of somebody else's file, and since when it is so. */
  #foreign: { readonly beat: string; readonly since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isDue = false;

  constructor(entry: RegistryEntry, options: FileEntryOptions) {
    this.#entry = entry;
    this.#options = options;
    this.#file = new EntryFile(options.root, entry.key, options.ttlMs);
  }

  get entry(): RegistryEntry {
    return this.#entry;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  want(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    // Wanted anew: what somebody deleted is put back at once.
    this.#deletedAt = undefined;
    this.#tell(isWanted ? { phase: 'waiting', error: undefined } : { phase: 'withdrawn' });
    this.#takeTurn();
  }

  write(value: string): void {
    if (value === this.#entry.value) return;
    this.#entry = { ...this.#entry, value };
    this.#takeTurn();
  }

  async released(): Promise<void> {
    while (this.#turn !== undefined || (this.#isToRemove && !this.#isWanted)) {
      await (this.#turn ?? pause(RETRY_SOON_MS, undefined, { ref: false }));
    }
  }

  #takeTurn(): void {
    this.#isDue = true;
    this.#turn ??= this.#run();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    let nextMs: number | undefined;
    while (this.#isDue) {
      this.#isDue = false;
      nextMs = await this.#look();
    }
    // At once: who asks from now on begins another turn.
    this.#turn = undefined;
    // What waits for nothing else keeps no process.
    if (nextMs !== undefined) this.#timer = setTimeout(() => this.#takeTurn(), nextMs).unref();
  }

  /** @returns when to look again, ms; undefined: not before something changes */
  async #look(): Promise<number | undefined> {
    try {
      if (this.#isWanted) return await this.#keep(await this.#file.look());
      if (this.#isToRemove) await this.#file.remove();
      this.#isOurs = this.#isToRemove = false;
      return undefined;
    } catch (error) {
      // While nobody can be seen nobody is silent.
      this.#foreign = undefined;
      if (this.#isWanted) this.#tell({ phase: 'waiting', error: messageOf(error) });
      return this.#isWanted || this.#isToRemove ? RETRY_MS : undefined;
    }
  }

  async #keep(found: Found): Promise<number> {
    const { ttlMs } = this.#options;
    const { value } = this.#entry;
    if (found.kind !== 'foreign') this.#foreign = undefined;
    if (found.kind === 'foreign') return this.#wait(found);
    if (found.kind === 'ours') {
      if (found.value === value) await this.#file.beat();
      else await this.#file.put(value, { over: true });
      return this.#stands();
    }
    if (this.#isOurs) {
      this.#isOurs = false;
      this.#deletedAt = performance.now();
    }
    const left = this.#deletedAt === undefined ? 0 : this.#deletedAt + ttlMs - performance.now();
    if (left > 0) {
      this.#tell({ phase: 'removed' });
      // It may be back by itself: a folder that was away.
      return Math.min(left, this.#beatMs);
    }
    // Before it is there: a fault behind that leaves it there.
    this.#isToRemove = true;
    return (await this.#file.put(value, { over: false })) ? this.#stands() : RETRY_SOON_MS;
  }

  /** Somebody else's is taken over once it has given no sign of life for as long as it says. */
  async #wait({ beat, ttlMs }: Extract<Found, { kind: 'foreign' }>): Promise<number> {
    this.#isOurs = false;
    const now = performance.now();
    if (this.#foreign?.beat !== beat) this.#foreign = { beat, since: now };
    const left = ttlMs === undefined ? Infinity : this.#foreign.since + ttlMs - now;
    if (left <= 0) {
      this.#foreign = undefined;
      this.#isToRemove = true;
      await this.#file.put(this.#entry.value, { over: true });
      return this.#stands();
    }
    this.#tell({ phase: 'conflict' });
    return Math.min(left, this.#beatMs);
  }

  #stands(): number {
    this.#isOurs = this.#isToRemove = true;
    this.#deletedAt = undefined;
    if (this.#isWanted) this.#tell({ phase: 'registered' });
    return this.#beatMs;
  }

  get #beatMs(): number {
    return this.#options.ttlMs / BEATS;
  }

  #tell(state: RegistrationState): void {
    const before = this.#state;
    this.#state = state;
    if (!isSameState(before, state)) this.#options.listener(this);
  }
}
