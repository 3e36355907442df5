import type { Config, ServiceConfig } from '../config.ts';
import type { Kind } from './kind.ts';

/**
 * One row of the table of settings: everything flags, help, hints, validation, the configuration, `check`, `/status`,
 * the library's options and the reference are derived from. The comment before a row is the option's.
 */
export interface SettingRow<T = unknown, F extends string = string> {
  readonly kind: Kind<T>;
  /** Where its value stands in the configuration, such as `log.level`; absent when it has no place of its own. */
  readonly field?: F;
  /** As a user would type it; absent when there is none. */
  readonly default?: string;
  /** One line. */
  readonly meaning: string;
  /** Other names of the variable. */
  readonly aliases?: readonly string[];
  /** A name that it had before. Variable, suffixed variable, flag, key and option are still understood. */
  readonly formerName?: string;
  /** Why an empty value is refused; absent: it counts as not set. For what is open to all when it is not set. */
  readonly refusesEmpty?: string;
  /** Why it has no effect any more, for those who set it. */
  readonly retired?: string;
  /** Other names of the flag and of the key in `SERVICES`, lower case. */
  readonly spellings?: readonly string[];
}

/** Rows by name of the variable. */
export type SettingTable<F extends string = string> = Readonly<Record<string, SettingRow<unknown, F>>>;

/** Where a value of a service, or of the process, may stand. */
export type ServiceField = PathOf<ServiceConfig>;
export type ProcessField = PathOf<Config>;

/** The values of a table's settings; settings without a default may be undefined. */
export type Values<W extends SettingTable> = {
  readonly [K in keyof W]: W[K] extends SettingRow<infer T>
    ? W[K] extends { default: string }
      ? T
      : T | undefined
    : never;
};

/** A row with its name and its table. */
export interface SettingSpec extends SettingRow {
  readonly name: string;
  /** `service`: each service has its own, and the bare setting is the default. `process`: there is one. */
  readonly scope: 'service' | 'process';
}

/** `a`, or `a.b` where `a` has members. */
type PathOf<T> = T extends readonly unknown[] | string | number | boolean | undefined
  ? never
  : { [K in keyof T & string]: K | `${K}.${PathOf<T[K]>}` }[keyof T & string];
