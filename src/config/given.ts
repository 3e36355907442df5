import { listenAddresses } from './address-kinds.ts';
import { isInjected, looksTyped, type Environment } from './injected.ts';
import type { Report } from './report.ts';

/** A variable with its value, from the environment or from a flag. */
export interface Given {
  /** As a variable: `--dst-pg` is `DST_PG`. */
  readonly name: string;
  readonly text: string;
  /** As the user typed it. */
  readonly origin: string;
  readonly fromFlag: boolean;
}

/** What the environment gives, sorted by name so that reports and services have a stable order. */
export function givenInEnvironment(env: Environment, report: Report): readonly Given[] {
  const given: Given[] = [];
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
