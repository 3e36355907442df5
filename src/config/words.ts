import { processWords } from './process-words.ts';
import { declaringWords, serviceWords } from './service-words.ts';
import type { Word, WordTable } from './word.ts';

/** Every word, per-service ones first, in the order of the tables. */
export const words: readonly Word[] = [...rows(serviceWords, 'service'), ...rows(processWords, 'process')];

const byName = new Map(words.map((word) => [word.name, word]));
const byVariable = new Map(words.flatMap((word) => [word.name, ...(word.aliases ?? [])].map((name) => [name, word])));
const byFlag = new Map(words.flatMap((word) => [flagOf(word.name), ...(word.spellings ?? [])].map((f) => [f, word])));
const bySecretFile = new Map(words.filter((word) => word.kind.form === 'secret').map((w) => [`${w.name}_FILE`, w]));
const perServiceVariables = [...byVariable]
  .filter(([, word]) => word.scope === 'service')
  .map(([variable, word]) => ({ prefix: `${variable}_`, word }))
  .sort((a, b) => b.prefix.length - a.prefix.length);

/** What a variable's name says. */
export type NameReading =
  | { readonly kind: 'word'; readonly word: Word }
  /** `ETCD_PASSWORD_FILE` */
  | { readonly kind: 'secret-file'; readonly word: Word }
  /** `DST_PG`: the suffix is what a user typed, and may be no valid one. */
  | { readonly kind: 'suffixed'; readonly word: Word; readonly suffix: string };

/**
 * Reads the name of a variable; undefined when it is none of ours. A word matched whole wins over a word with a
 * suffix. Of several words with a suffix the longest whose suffix is declared wins, then the longest.
 *
 * @param declared suffixes that name services
 */
export function readName(name: string, declared: ReadonlySet<string> = new Set()): NameReading | undefined {
  const word = byVariable.get(name);
  if (word !== undefined) return { kind: 'word', word };
  const secret = bySecretFile.get(name);
  if (secret !== undefined) return { kind: 'secret-file', word: secret };
  const readings = perServiceVariables
    .filter(({ prefix }) => name.startsWith(prefix))
    .map(({ prefix, word: found }) => ({ kind: 'suffixed', word: found, suffix: name.slice(prefix.length) }) as const);
  return readings.find(({ suffix }) => declared.has(suffix)) ?? readings[0];
}

/** The variable a flag stands for: `connect-timeout-pg` is `CONNECT_TIMEOUT_PG`, `loglevel` is `LOG_LEVEL`. */
export function variableOfFlag(flag: string): string {
  return byFlag.get(flag)?.name ?? flag.replaceAll('-', '_').toUpperCase();
}

/** The per-service word of a key of `SERVICES`. */
export function serviceWordOfKey(key: string): Word | undefined {
  const word = byName.get(key.toUpperCase());
  if (word?.scope === 'service' && key === keyOf(word.name)) return word;
  return words.find((other) => other.scope === 'service' && other.spellings?.includes(key));
}

/** @throws RangeError for a name that is in no table: a mistake in this program */
export function wordNamed(name: string): Word {
  const word = byName.get(name);
  if (word === undefined) throw new RangeError(`no word ${name}`);
  return word;
}

/** Whether a bare word is a default for every service. */
export function isDefault(word: Word): boolean {
  return word.scope === 'service' && !declaringWords.some((name) => name === word.name);
}

/** `CONNECT_TIMEOUT` as a flag without its dashes: `connect-timeout`. */
export function flagOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** `CONNECT_TIMEOUT` as a key of `SERVICES`: `connect_timeout`. */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

/** `CONNECT_TIMEOUT` as an option of the library: `connectTimeout`. */
export function optionOf(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Names of variables, for hints: words, aliases, and `_FILE` of secrets. */
export const variableNames: readonly string[] = [...byVariable.keys(), ...bySecretFile.keys()];
/** Names of flags without dashes, for hints. */
export const flagNames: readonly string[] = [...byFlag.keys(), ...[...bySecretFile.keys()].map(flagOf)];

function rows(table: WordTable, scope: Word['scope']): Word[] {
  return Object.entries(table).map(([name, row]) => ({ ...row, name, scope }));
}
