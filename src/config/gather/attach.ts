import { putSuffixed } from './declare.ts';
import { suffixOf, type ServiceDraft } from './draft.ts';
import { nearMiss } from './near-miss.ts';
import { didYouMean, nearest } from './nearest.ts';
import { quote } from '../quote.ts';
import type { Report } from '../report.ts';
import { spellBeside } from './spell.ts';
import { isForeign, type Suffixed } from './suffixed.ts';

/**
 * Gives settings with a suffix to the services their suffixes name. A setting whose suffix names none is a fault with the
 * nearest name as a hint, or, when it is more likely another program's, a warning.
 */
export function attach(left: readonly Suffixed[], services: readonly ServiceDraft[], report: Report): void {
  const bySuffix = new Map([...services].reverse().map((service) => [suffixOf(service.name), service]));
  for (const one of left) {
    const service = bySuffix.get(one.suffix);
    if (service === undefined) refuseOrIgnore(one, [...bySuffix.keys()], report);
    else putSuffixed(service.settings, one);
  }
}

function refuseOrIgnore(one: Suffixed, suffixes: readonly string[], report: Report): void {
  const { given, spec, suffix } = one;
  const { origin } = given;
  const near = nearest(suffix.toUpperCase(), suffixes);
  const meant = near === undefined ? nearMiss(given.name, new Set()) : `${spec.name}_${near}`;
  const missing = `no service ${quote(suffix.toLowerCase().replaceAll('_', '-'))}`;
  if (meant !== undefined) {
    report.fault(origin, `${missing}${didYouMean(spellBeside(origin, meant))}`);
  } else if (isForeign(one)) {
    report.warn(origin, `ignored: ${missing}, and the value is none that ${spec.name} can have`);
  } else {
    report.fault(origin, `${missing}; expected ${spellBeside(origin, `SRC_${suffix}`)} to declare it, got none`);
  }
}
