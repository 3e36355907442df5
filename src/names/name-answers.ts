import { errnoOf, messageOf } from '../core/errors.ts';
import type { Family } from '../core/resolver.ts';

export type Ask = (host: string, family: Family) => Promise<readonly string[]>;

/** How long an answer is used again; behind a name that moves, a new connection must not go astray for longer than this. */
const FRESH_MS = 1_000;
/** Up to this age an old answer takes the place of a new one soon, and beyond it late. */
const YOUNG_MS = 5_000;
const YOUNG_PATIENCE_MS = 100;
const OLD_PATIENCE_MS = 1_000;
/** An answer that is older is not used, whatever the name servers do. */
const MAX_AGE_MS = 30_000;
const MAX_NAMES = 1_000;

/** The name itself is at fault: its earlier answers are no longer true. */
const FINAL: ReadonlySet<string> = new Set(['ENOTFOUND', 'IPV4_ONLY', 'IPV6_ONLY']);

interface Answer {
  readonly addresses: Promise<readonly string[]>;
  readonly at: number;
}

interface Entry {
  answer: Answer | undefined;
  /** The look-up that is under way. */
  asking: { readonly addresses: Promise<readonly string[]>; readonly orOld: Promise<readonly string[]> } | undefined;
  /** The last look-up failed, or did not come in time: the next one is not waited for. */
  isTroubled: boolean;
}

/**
 * What is known of names. Each is looked up once at a time, for all who ask. An answer is used for one second; then it
 * is used only while the new one does not come, and 30 s at most. Failures are not remembered.
 */
export class NameAnswers {
  readonly #ask: Ask;
  readonly #now: () => number;
  /** The one that was used last is the last. */
  readonly #entries = new Map<string, Entry>();

  constructor(ask: Ask, now: () => number) {
    this.#ask = ask;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(host: string, family: Family): Promise<readonly string[]> {
    const entry = this.#entry(`${family} ${host}`);
    const age = entry.answer === undefined ? Infinity : this.#now() - entry.answer.at;
    if (entry.answer !== undefined && age < FRESH_MS) return entry.answer.addresses;
    entry.asking ??= this.#begin(entry, host, family);
    return age < MAX_AGE_MS ? entry.asking.orOld : entry.asking.addresses;
  }

  #entry(key: string): Entry {
    const entry = this.#entries.get(key) ?? { answer: undefined, asking: undefined, isTroubled: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_NAMES) {
      const [oldest = ''] = this.#entries.keys();
      this.#entries.delete(oldest);
    }
    return entry;
  }

  #begin(entry: Entry, host: string, family: Family): NonNullable<Entry['asking']> {
    const addresses = this.#ask(host, family);
    const before = entry.answer;
    addresses.then(
      () => {
        entry.answer = { addresses, at: this.#now() };
        entry.asking = undefined;
        entry.isTroubled = false;
      },
      (error: unknown) => {
        entry.asking = undefined;
        entry.isTroubled = true;
        if (before === undefined || FINAL.has(errnoOf(error))) this.#forget(`${family} ${host}`, entry);
      },
    );
    if (before === undefined) return { addresses, orOld: addresses };
    const orOld = this.#orOld(entry, before, addresses);
    // There may be nobody who is content with an old one.
    orOld.catch(() => undefined);
    return { addresses, orOld };
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  /** The new answer; the old one when that does not come soon, or does not come at all. */
  #orOld(entry: Entry, old: Answer, addresses: Promise<readonly string[]>): Promise<readonly string[]> {
    if (entry.isTroubled) return old.addresses;
    const patience = this.#now() - old.at < YOUNG_MS ? YOUNG_PATIENCE_MS : OLD_PATIENCE_MS;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        entry.isTroubled = true;
        resolve(old.addresses);
      }, patience);
      addresses.then(
        (found) => {
          clearTimeout(late);
          resolve(found);
        },
        (error: unknown) => {
          clearTimeout(late);
          if (FINAL.has(errnoOf(error))) reject(error instanceof Error ? error : new Error(messageOf(error)));
          else resolve(old.addresses);
        },
      );
    });
  }
}
