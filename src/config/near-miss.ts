import { isOneEdit, isSwap } from './nearest.ts';
import { variableNames, words } from './words.ts';

/** One edit away from a word, yet common names of other programs. */
const COMMON = new Set(['SERVICE', 'HTTPS_ADDR']);
/** Shorter words have too many neighbours that mean something else (`DB_REDIS`, `SET`): there only swaps count. */
const LONG = 5;

const suffixable = words.filter(({ scope }) => scope === 'service').flatMap((w) => [w.name, ...(w.aliases ?? [])]);

/**
 * The variable an unknown one was probably meant to be: one edit away from a word, or from a word with the suffix
 * of a service.
 *
 * @param suffixes suffixes that name services
 */
export function nearMiss(name: string, suffixes: ReadonlySet<string>): string | undefined {
  if (COMMON.has(name)) return undefined;
  const whole = variableNames.find((word) => word.length >= LONG && isOneEdit(name, word));
  if (whole !== undefined) return whole;
  for (const suffix of suffixes) {
    if (!name.endsWith(`_${suffix}`)) continue;
    const head = name.slice(0, -suffix.length - 1);
    const word = suffixable.find((w) => isSwap(head, w) || (w.length >= LONG && isOneEdit(head, w)));
    if (word !== undefined) return `${word}_${suffix}`;
  }
  return undefined;
}
