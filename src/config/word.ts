import type { Kind } from './kind.ts';

/** One row of the table of words: everything flags, help, hints, validation and the reference are derived from. */
export interface WordRow<T = unknown> {
  readonly kind: Kind<T>;
  /** As a user would type it; absent when there is none. */
  readonly default?: string;
  /** One line. */
  readonly meaning: string;
  /** Other names of the variable. */
  readonly aliases?: readonly string[];
  /** Other names of the flag and of the key in `SERVICES`, lower case. */
  readonly spellings?: readonly string[];
}

/** Rows by name of the variable. */
export type WordTable = Readonly<Record<string, WordRow>>;

/** What the words of a table come to; words without a default may be undefined. */
export type Values<W extends WordTable> = {
  readonly [K in keyof W]: W[K] extends WordRow<infer T>
    ? W[K] extends { default: string }
      ? T
      : T | undefined
    : never;
};

/** A row with its name and its table. */
export interface Word extends WordRow {
  readonly name: string;
  /** `service`: each service has its own, and the bare word is the default. `process`: there is one. */
  readonly scope: 'service' | 'process';
}
