import type { Settings } from './setting.ts';

/** What all places together say, before any value is validated. */
export interface Draft {
  /** Process-wide settings. */
  readonly process: Settings;
  /** Per-service settings without a suffix: the defaults of every service. */
  readonly defaults: Settings;
  readonly services: readonly ServiceDraft[];
  /** How a process-wide setting is spelt where this configuration was written. */
  readonly spell: (name: string) => string;
  /** Other services may come at run time: a default that none of these uses may be for them. */
  readonly isOpen?: boolean;
  /** What stands at a path in place of a file, where the file system is looked at. */
  readonly lookAt?: LookAt;
}

/** Fits behind "got"; undefined when nothing is wrong. */
export type LookAt = (path: string) => string | undefined;

export interface ServiceDraft {
  readonly name: string;
  /** Where it stands: `SRC_REDIS`, `SERVICES[0]`. */
  readonly origin: string;
  /** Where its name stands: `SRC_REDIS`, `SERVICES[0].name`. */
  readonly named: string;
  /** How a setting of this service is spelt where it was declared: `DST_REDIS`, `SERVICES[0].dst`. */
  readonly spell: (name: string) => string;
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
