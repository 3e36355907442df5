import { registryOf, registrySettings } from '../../discovery/registries.ts';
import type { DiscoveryBackend, DiscoveryConfig } from '../config.ts';
import type { Draft } from '../gather/draft.ts';
import type { Setting, Settings } from '../gather/setting.ts';
import type { Endpoints } from '../table/endpoints.ts';
import { fieldsOf } from '../table/fields.ts';
import { processSettings, type ProcessValues } from '../table/process-settings.ts';
import { quote } from '../quote.ts';
import type { Report } from '../report.ts';
import type { ServiceValues } from '../table/service-settings.ts';

/** A registry that is in use, and where somebody said so. */
export interface UsedRegistry {
  readonly said: Endpoints;
  readonly origin: string;
  /** Of the service that uses it. */
  readonly settings: Settings;
}

export interface DiscoveryParts {
  readonly values: ProcessValues;
  /** Of the bare settings. */
  readonly defaults: Pick<ServiceValues, 'DSC'>;
  /** Those that the services of this configuration use. */
  readonly used: readonly UsedRegistry[];
}

/** The discovery part, with what its settings say together. */
export function discoveryOf({ values, defaults, used }: DiscoveryParts, draft: Draft, report: Report): DiscoveryConfig {
  for (const { setting } of registrySettings) checkPair(draft, setting, report);
  const dsc = draft.defaults.get('DSC')?.origin ?? draft.spell('DSC');
  // Where no service asks for one, the settings belong to the registry that would be asked.
  const registries = used.length > 0 ? used : [{ said: defaults.DSC, origin: dsc, settings: draft.defaults }];
  for (const kind of new Set(registries.map(({ said }) => said.kind))) {
    for (const [name, fault] of registryOf({ kind }).refuseValues?.(values) ?? []) {
      if (!draft.process.isRefused(name)) report.fault(draft.process.origin(name), `expected ${fault}`);
    }
  }
  if (!draft.defaults.isRefused('DSC') && !draft.services.some(({ settings }) => settings.isRefused('DSC'))) {
    warnOfUnused(registries, draft, report);
    warnOfRoles(registries, draft, report);
  }
  if (values.STATE_FILE !== undefined && values.DISCOVERY_ON_FAILURE === 'clear') {
    const why = `as ${draft.process.origin('DISCOVERY_ON_FAILURE')} is clear`;
    report.warn(draft.process.origin('STATE_FILE'), `not used, ${why}`);
  }
  return { ...fieldsOf(processSettings, values, 'discovery.'), backend: backendOf(defaults.DSC, values) };
}

/** The registry that `DSC` names, with its settings. */
export function backendOf({ kind, urls }: Endpoints, values: ProcessValues): DiscoveryBackend {
  return registryOf({ kind }).backend(urls, values);
}

/** Either of the two alone is of no use. */
function checkPair(draft: Draft, { name, needs }: { name: string; needs?: string }, report: Report): void {
  const { process, spell } = draft;
  if (needs === undefined || !process.has(name) || process.has(needs)) return;
  report.fault(process.origin(name), `expected ${spell(needs)} beside it, got none`);
}

/** A setting that no registry in use has is told; the files of the others are looked at. */
function warnOfUnused(used: readonly UsedRegistry[], draft: Draft, report: Report): void {
  for (const { row, setting } of registrySettings) {
    const given = draft.process.get(setting.name);
    if (!draft.process.has(setting.name)) continue;
    const reasons = used.map(({ said, origin }) => {
      const why = said.kind === row.kind ? setting.unusedWith?.(said.urls) : `is ${registryOf(said).title}`;
      return why === undefined ? undefined : `${origin} ${why}`;
    });
    if (reasons.every((reason) => reason !== undefined)) {
      report.warn(draft.process.origin(setting.name), `not used, as ${[...new Set(reasons)].join(' and ')}`);
    } else if (setting.isFile === true && given !== undefined) checkFile(given, draft, report);
  }
}

/** Which server has which role is known to some registries only. */
function warnOfRoles(used: readonly UsedRegistry[], { defaults, isOpen = false }: Draft, report: Report): void {
  if (isOpen) return;
  const others = used.filter(({ said }) => registryOf(said).hasRoles !== true);
  const reasonOf = ({ said, origin }: UsedRegistry) => `${origin} is ${registryOf(said).title}`;
  for (const one of others) {
    if (one.settings === defaults || !one.settings.has('SENTINEL_ROLE')) continue;
    report.warn(one.settings.origin('SENTINEL_ROLE'), `not used, as ${reasonOf(one)}`);
  }
  if (!defaults.has('SENTINEL_ROLE') || others.length < used.length) return;
  const reasons = [...new Set(others.map(reasonOf))].join(' and ');
  report.warn(defaults.origin('SENTINEL_ROLE'), `not used, as ${reasons}`);
}

/** It is read for each session, so one that is missing may come; what is no file never becomes one. */
function checkFile({ origin, text }: Setting, draft: Draft, report: Report): void {
  const found = draft.lookAt?.(text);
  if (found !== undefined) report.fault(origin, `expected the path of a readable file, got ${quote(text)} (${found})`);
}
