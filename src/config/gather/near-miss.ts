import { isOneEdit, isSwap } from './nearest.ts';
import { readName, variableNames, settings } from '../table/settings.ts';

/** Names one edit away from a setting that other programs use. */
const COMMON = new Set(['SERVICE', 'HTTPS_ADDR']);
/** Shorter names have too many neighbours that mean something else (`DB_REDIS`, `SET`): there only swaps count. */
const LONG = 5;

/** Other programs name their variables so. */
const OWN_PREFIX = /^ATTACHE_/;

const suffixable = settings.filter(({ scope }) => scope === 'service').flatMap((w) => [w.name, ...(w.aliases ?? [])]);

/**
 * The variable an unknown one was probably meant to be. The unknown one is in lower case, has the program's name before
 * it, or is one edit away from a setting, or from a setting with the suffix of a service.
 *
 * @param suffixes suffixes that name services
 */
export function nearMiss(name: string, suffixes: ReadonlySet<string>): string | undefined {
  if (COMMON.has(name)) return undefined;
  const upper = name.toUpperCase().replace(OWN_PREFIX, '');
  if (upper !== name && isOurs(upper, suffixes)) return upper;
  const whole = variableNames.find((known) => known.length >= LONG && isOneEdit(name, known));
  if (whole !== undefined) return whole;
  for (const suffix of suffixes) {
    if (!name.endsWith(`_${suffix}`)) continue;
    const head = name.slice(0, -suffix.length - 1);
    const meant = suffixable.find((known) => isSwap(head, known) || (known.length >= LONG && isOneEdit(head, known)));
    if (meant !== undefined) return `${meant}_${suffix}`;
  }
  return undefined;
}

function isOurs(name: string, suffixes: ReadonlySet<string>): boolean {
  const reading = readName(name, suffixes);
  return reading !== undefined && (reading.kind !== 'suffixed' || suffixes.has(reading.suffix));
}
