import type { Settings } from './setting.ts';

/** What all places together say, before any value is validated. */
export interface Draft {
  /** Process-wide words. */
  readonly process: Settings;
  /** Bare per-service words: defaults of every service. */
  readonly defaults: Settings;
  readonly services: readonly ServiceDraft[];
  /** How a process-wide word is spelt where this configuration was written. */
  readonly spell: (word: string) => string;
}

export interface ServiceDraft {
  readonly name: string;
  /** Where it stands: `SRC_REDIS`, `SERVICES[0]`. */
  readonly origin: string;
  /** Where its name stands: `SRC_REDIS`, `SERVICES[0].name`. */
  readonly named: string;
  /** How a word of this service is spelt where it was declared: `DST_REDIS`, `SERVICES[0].dst`. */
  readonly spell: (word: string) => string;
  readonly settings: Settings;
}

const NAME = /^[a-z][\w.-]{0,62}$/i;

export const nameGrammar = 'a name of at most 63 letters, digits, "-", "_" and ".", beginning with a letter';

export function isServiceName(name: string): boolean {
  return NAME.test(name);
}

/** What two names share when they would be the same service to a user: `Redis_A` and `redis-a`. */
export function nameKey(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-');
}

/** The suffix of variables that belongs to a name: `redis-a` is `REDIS_A`. */
export function suffixOf(name: string): string {
  return name.toUpperCase().replace(/[-.]/g, '_');
}
