import { errnoOf, messageOf } from '../../core/errors.ts';
import type { Observer, StateFileEvent } from '../../core/observer.ts';
import {
  formatLastGood,
  parseLastGood,
  sameMember,
  type LastGoodMember,
  type LastGoodSet,
  type LastGoodSets,
} from './text.ts';
import { readStateFile, removeLeftovers, replaceStateFile } from './file-io.ts';

export interface LastGoodFileOptions {
  readonly path: string;
  /** What identifies the sets of the services that are declared; all others are dropped from the file. */
  readonly keys: readonly string[];
  readonly observer: Observer;
  readonly timing?: LastGoodTiming;
  /** Writes the whole file. Replaced in tests. */
  readonly replace?: typeof replaceStateFile;
}

/** All in ms. Replaced in tests. */
export interface LastGoodTiming {
  /** What changes within this time is written at once. Default 200. */
  readonly gatherMs: number;
  /** Least time between two writes. Default 1000. */
  readonly restMs: number;
  /** How long `flush` may take. Default 1000. */
  readonly flushMs: number;
}

const USUAL: LastGoodTiming = { gatherMs: 200, restMs: 1_000, flushMs: 1_000 };

/**
 * The last good sets of a process, in memory and in one file: read once, written whole when a set has changed. Nothing
 * that the file system does rejects, or holds anybody up: it is told to the observer, once per change of state.
 */
export class LastGoodFile {
  readonly #path: string;
  readonly #keys: Set<string>;
  readonly #observer: Observer;
  readonly #timing: LastGoodTiming;
  readonly #replaceFile: typeof replaceStateFile;
  #loading: Promise<void> | undefined;
  #cleaning: Promise<void> | undefined;
  /** What the file holds, as far as we know. */
  #stored: LastGoodSets = new Map();
  /** What the file held at the start of directories that nobody asked for yet: a service may come that does. */
  #others: LastGoodSets = new Map();
  /** What has been confirmed since the start. */
  readonly #kept = new Map<string, LastGoodSet>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #wroteAt = Number.NEGATIVE_INFINITY;
  /** errno of the last write, when it failed. */
  #fault: string | undefined;

  constructor(options: LastGoodFileOptions) {
    this.#path = options.path;
    this.#keys = new Set(options.keys);
    this.#observer = options.observer;
    this.#timing = options.timing ?? USUAL;
    this.#replaceFile = options.replace ?? replaceStateFile;
  }

  /** The set that the file held at the start; undefined when the file holds no set or cannot be used. Never rejects. */
  async find(key: string): Promise<LastGoodSet | undefined> {
    await this.#load();
    this.#own(key);
    return this.#stored.get(key);
  }

  /** Takes note of a set that the backend has confirmed; it is in the file soon after, if it differs. */
  keep(key: string, members: readonly LastGoodMember[]): void {
    const before = this.#kept.get(key);
    if (before !== undefined && isSame(before.members, members)) return;
    this.#kept.set(key, { since: Date.now(), members: [...members] });
    this.#schedule();
  }

  /** Writes what has not been written yet. Resolves when that is done, has failed, or takes too long; never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let late: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      late = setTimeout(resolve, this.#timing.flushMs);
    });
    await Promise.race([this.#write(), deadline]);
    clearTimeout(late);
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read();
    this.#cleaning ??= this.#loading.then(() => removeLeftovers(this.#path));
    return this.#loading;
  }

  /** A service that came at run time has a directory of its own. */
  #own(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    const found = this.#others.get(key);
    if (found !== undefined) this.#stored = new Map([...this.#stored, [key, found]]);
  }

  async #read(): Promise<void> {
    try {
      const text = await readStateFile(this.#path);
      if (text !== undefined) this.#take(text);
    } catch (error) {
      this.#tell({ outcome: 'ignored', error: messageOf(error) });
    }
  }

  #take(text: string): void {
    const parsed = parseLastGood(text);
    if (!parsed.ok) {
      this.#tell({ outcome: 'ignored', error: parsed.reason });
      return;
    }
    const own = new Map([...parsed.sets].filter(([key]) => this.#keys.has(key)));
    if (own.size === 0 && parsed.sets.size > 0) {
      this.#tell({ outcome: 'ignored', error: 'it holds only sets of other service directories or another registry' });
    }
    this.#stored = own;
    this.#others = parsed.sets;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    const { gatherMs, restMs } = this.#timing;
    const wait = Math.max(gatherMs, this.#wroteAt + restMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, wait);
  }

  /** One at a time; a call meanwhile gets what is then still to be written done too. */
  async #write(): Promise<void> {
    if (this.#kept.size === 0) return;
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#writeOnce();
    await this.#writing;
  }

  async #writeOnce(): Promise<void> {
    await this.#load();
    await this.#cleaning;
    const next = this.#next();
    if (next !== undefined) {
      try {
        await this.#replace(formatLastGood(next));
        this.#stored = next;
        this.#succeeded();
      } catch (error) {
        this.#failed(error);
      }
      this.#wroteAt = performance.now();
    }
    this.#writing = undefined;
    // What has failed waits for the next change; what has changed meanwhile is one.
    if (next !== undefined && this.#hasChangedSince(next)) this.#schedule();
  }

  async #replace(text: string): Promise<void> {
    try {
      await this.#replaceFile(this.#path, text);
    } catch (error) {
      // Another process that starts over the same file has cleared our temporary file away.
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#replaceFile(this.#path, text);
    }
  }

  /** What the file should hold; undefined when it holds that. */
  #next(): LastGoodSets | undefined {
    const next = new Map<string, LastGoodSet>();
    let differs = false;
    for (const key of this.#keys) {
      const [kept, stored] = [this.#kept.get(key), this.#stored.get(key)];
      const isStored = kept === undefined || (stored !== undefined && isSame(kept.members, stored.members));
      const set = isStored ? stored : kept;
      if (set !== undefined) next.set(key, set);
      if (!isStored) differs = true;
    }
    return differs ? next : undefined;
  }

  #hasChangedSince(attempt: LastGoodSets): boolean {
    return [...this.#kept].some(([key, { members }]) => !isSame(members, attempt.get(key)?.members ?? []));
  }

  #succeeded(): void {
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#tell({ outcome: 'recovered' });
  }

  #failed(error: unknown): void {
    const errno = errnoOf(error);
    if (errno === this.#fault) return;
    this.#fault = errno;
    this.#tell({ outcome: 'unwritable', error: messageOf(error) });
  }

  #tell(news: Pick<StateFileEvent, 'outcome' | 'error'>): void {
    this.#observer({ type: 'state-file', path: this.#path, ...news });
  }
}

function isSame(a: readonly LastGoodMember[], b: readonly LastGoodMember[]): boolean {
  return a.length === b.length && a.every((member, index) => sameMember(member, b[index]));
}
