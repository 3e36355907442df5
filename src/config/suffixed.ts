import type { Given } from './given.ts';
import type { Word } from './word.ts';
import { readName } from './words.ts';

/** A per-service word with a suffix, which may or may not name a service. */
export interface Suffixed {
  readonly given: Given;
  readonly word: Word;
  readonly suffix: string;
  /** Whether the value is one the word can have. */
  readonly fits: boolean;
}

/** Finds the words with a suffix among names that are no bare word, and what is left. */
export function readSuffixed(
  given: readonly Given[],
  declared: ReadonlySet<string>,
): { readonly groups: ReadonlyMap<string, readonly Suffixed[]>; readonly unknown: readonly Given[] } {
  const groups = new Map<string, Suffixed[]>();
  const unknown: Given[] = [];
  for (const one of given) {
    const reading = readName(one.name, declared);
    if (reading?.kind !== 'suffixed') {
      unknown.push(one);
      continue;
    }
    const { word, suffix } = reading;
    const group = groups.get(suffix) ?? [];
    group.push({ given: one, word, suffix, fits: word.kind.parse(one.text).ok });
    groups.set(suffix, group);
  }
  return { groups, unknown };
}

/**
 * Whether a variable that no service answers to is more likely another program's than a mistake: its word is a
 * plain one (`NET_ADMIN=true`, `DST_DIR=/usr/dst`, not `CONNECT_TIMEOUT_X`) and its value none that the word can have.
 */
export function isForeign({ given, word, fits }: Suffixed): boolean {
  return !given.fromFlag && !fits && !word.name.includes('_');
}

/**
 * Whether all that is said with one suffix looks like another program's, so that even its `SRC_` declares nothing:
 * `SRC_DIR=/usr/src`, perhaps with `DST_DIR=/usr/dst`. Only a path lets `SRC_` go: any other value is a mistake that
 * must not cost a service.
 */
export function isForeignGroup(group: readonly Suffixed[]): boolean {
  return group.every((one) => isForeign(one) && (one.word.name !== 'SRC' || /^[/.~]/.test(one.given.text)));
}
