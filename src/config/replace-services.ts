import type { Config, ServiceConfig } from './config.ts';
import { requireOwnNames } from './gather/declare.ts';
import { gather } from './gather/gather.ts';
import { noFlags } from './gather/given-flags.ts';
import { servicesFile, type LoadOptions } from './load.ts';
import { withFiles } from './read-config.ts';
import { Report } from './report.ts';
import { deepFreeze } from './resolve/freeze.ts';
import { resolve } from './resolve/resolve.ts';
import { readServices } from './resolve/services.ts';
import { confined, refuseBeyond } from './run-time-limits.ts';

/** A list of services from outside that takes the place of those that were declared. */
export interface Replacement extends Omit<LoadOptions, 'readFile'> {
  /** A JSON array in the shape of `SERVICES`; `[]` means no service. */
  readonly json: string;
  /** What faults call it, such as `services`. */
  readonly origin: string;
  /** The configuration of the start: what it names may be named again. */
  readonly start: Config;
}

/**
 * The services of a JSON text, with the defaults of flags and environment, within the limits of what comes from outside; frozen.
 *
 * @throws ConfigError with every fault there is
 */
export async function replaceServices(replacement: Replacement): Promise<readonly ServiceConfig[]> {
  const { flags = noFlags, env, json, origin, start } = replacement;
  const own = servicesFile({ flags, env });
  return withFiles(({ readFile, realPath }) => {
    // The process's own settings were read at its start; what is wrong with the services of that time says nothing here.
    const places = { flags, env, readFile: (path: string) => (path === own ? '[]' : readFile(path)) };
    const { process, defaults, spell } = gather(places, new Report());
    const report = new Report();
    const drafts = readServices(json, { origin, fromFlag: false }, report);
    requireOwnNames(drafts, report);
    const { services } = resolve({ process, defaults, services: drafts, spell, isOpen: true }, report);
    refuseBeyond(services, { start, realPath }, report);
    report.throwIfFaulty();
    return deepFreeze(services.map((service) => confined(service, start)));
  });
}
