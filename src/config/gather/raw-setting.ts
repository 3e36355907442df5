import { listenAddresses } from '../table/address-kinds.ts';
import { isInjected, looksTyped, type Environment } from './injected.ts';
import type { Report } from '../report.ts';
import { readName } from '../table/settings.ts';

/** A variable with its value, from the environment or from a flag. */
export interface RawSetting {
  /** As a variable: `--dst-pg` is `DST_PG`. */
  readonly name: string;
  /** The given value, not parsed. */
  readonly text: string;
  /** As the user typed it. */
  readonly origin: string;
  /** True for a flag, which wins over a variable. */
  readonly fromFlag: boolean;
}

/**
 * What flags and environment give, the environment's sorted by name so that reports and services have a stable order.
 * An empty value counts as not set, as `${DST:-}` of a compose file means it; a report of faults says so.
 */
export function givenBy(flags: readonly RawSetting[], env: Environment, report: Report): readonly RawSetting[] {
  return [...flags, ...inEnvironment(env, report)].filter((one) => {
    if (one.text !== '') return true;
    const spec = readName(one.name)?.spec;
    if (spec?.refusesEmpty !== undefined) return true;
    if (spec !== undefined) report.hint(one.origin, 'empty, which counts as not set');
    return false;
  });
}

function inEnvironment(env: Environment, report: Report): readonly RawSetting[] {
  const given: RawSetting[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (text === undefined) continue;
    if (isInjected(name, env)) warnOfLostService(name, text, report);
    else given.push({ name, text, origin: name, fromFlag: false });
  }
  return given;
}

/** Someone who names a service `web-port` would otherwise look for it in vain. */
function warnOfLostService(name: string, text: string, report: Report): void {
  if (!name.startsWith('SRC_') || !looksTyped(text) || !listenAddresses.parse(text).ok) return;
  report.warn(name, 'ignored: such names are left to Kubernetes and Docker; give the service another name');
}
