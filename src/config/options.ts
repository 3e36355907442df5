import { formatAddress } from '../core/address.ts';
import { registryOf } from '../discovery/registries.ts';
import type { Config, ServiceConfig } from './config.ts';
import { requireOwnNames } from './gather/declare.ts';
import type { Draft } from './gather/draft.ts';
import { didYouMean, nearest } from './gather/nearest.ts';
import { Report } from './report.ts';
import { resolve } from './resolve/resolve.ts';
import { draftOfObject, type ObjectDialect } from './gather/service-object.ts';
import { Settings } from './gather/setting.ts';
import { describeType, textOfValue } from './value-text.ts';
import type { AmbassadorOptions } from './option-types.ts';
import { isOfLists, namesOf, optionOf, settingNamed, settings } from './table/settings.ts';

export type { AmbassadorOptions, ServiceOptions } from './option-types.ts';
export type { AddressesOption, DurationOption } from './table/option-values.ts';

const serviceOptions = new Map(
  settings
    .filter(({ scope }) => scope === 'service')
    .flatMap((spec) => namesOf(spec).map((name) => [optionOf(name), spec])),
);
/**
 * Services are given as objects here, so the settings that hold their JSON, and limit it, are none. The registry is a setting of each
 * service whose default is one of the ambassador.
 */
const processOptions = new Map(
  settings
    .filter(({ scope, name }) => (scope === 'process' && !isOfLists(name)) || name === 'DSC')
    .map((spec) => [optionOf(spec.name), spec]),
);

const dialect: ObjectDialect = {
  specOf: (key) => serviceOptions.get(key),
  keyOf: optionOf,
  keys: ['name', ...serviceOptions.keys()],
  isUnset: (value) => value === undefined || value === '',
  numbers: 'ms',
  defaultName: 'default',
};

/**
 * Makes one configuration from options of the library, frozen at every level. Options that are `undefined` are
 * not set.
 *
 * @throws ConfigError with every fault there is; settings are paths such as `services[0].connectTimeout`
 */
export function resolveOptions(options: AmbassadorOptions): Config {
  const report = new Report();
  const given: unknown = options;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    report.fault('options', `expected an object, got ${describeType(given)}`);
    report.throwIfFaulty();
  }
  const { process, defaults } = bareDraft(Object(given) as object, report);
  const services = serviceDrafts((Object(given) as Partial<AmbassadorOptions>).services, report);
  return resolve({ process, defaults, services, spell: optionOf }, report);
}

/**
 * Services that take the place of a configuration's own, from options of the library; frozen. None is fine: a process may
 * wait for some.
 *
 * @throws ConfigError with every fault there is
 */
export function resolveServices(services: unknown, config: Config): readonly ServiceConfig[] {
  const report = new Report();
  const [process, defaults] = [new Settings(report), new Settings(report)];
  const { httpAddress, adminAddress, probeAddress } = config;
  for (const [name, address] of Object.entries({
    HTTP_ADDR: httpAddress,
    ADMIN_ADDR: adminAddress,
    PROBE_ADDR: probeAddress,
  })) {
    const text = address === undefined ? 'off' : formatAddress(address);
    process.put({ spec: settingNamed(name), text, origin: optionOf(name), fromFlag: false, isPath: false });
  }
  const { backend } = config.discovery;
  const dsc = registryOf(backend).urls(backend).join(',');
  defaults.put({ spec: settingNamed('DSC'), text: dsc, origin: 'dsc', fromFlag: false, isPath: false });
  const drafts = Array.isArray(services) && services.length === 0 ? [] : serviceDrafts(services, report);
  return resolve({ process, defaults, services: drafts, spell: optionOf }, report).services;
}

function bareDraft(options: object, report: Report): Pick<Draft, 'process' | 'defaults'> {
  const [process, defaults] = [new Settings(report), new Settings(report)];
  for (const [key, value] of Object.entries(options)) {
    if (key === 'services' || value === undefined) continue;
    const spec = processOptions.get(key);
    if (value === '' && spec !== undefined && spec.refusesEmpty === undefined) continue;
    if (spec === undefined) {
      const hint = didYouMean(nearest(key, ['services', ...processOptions.keys()]));
      report.fault(key, `expected an option of an ambassador, got an unknown key${hint}`);
      continue;
    }
    const settings = spec.scope === 'process' ? process : defaults;
    const read = textOfValue(value, spec, 'ms');
    if (read.ok) {
      settings.put({ spec, text: read.text, origin: key, fromFlag: false, isPath: false, isVerbatim: true });
    } else {
      report.fault(key, read.message);
      settings.refuse(spec.name, key);
    }
  }
  for (const name of ['HTTP_ADDR', 'ADMIN_ADDR']) {
    if (process.has(name)) continue;
    process.put({ spec: settingNamed(name), text: 'off', origin: optionOf(name), fromFlag: false, isPath: false });
  }
  return { process, defaults };
}

function serviceDrafts(services: unknown, report: Report): Draft['services'] {
  if (!Array.isArray(services)) {
    report.fault(
      'services',
      `expected a list of services, got ${services === undefined ? 'none' : describeType(services)}`,
    );
    return [];
  }
  if (services.length === 0) report.fault('services', 'expected at least one service, got none');
  const drafts = services.flatMap((value: unknown, index) => {
    const object = { value, origin: `services[${index}]`, fromFlag: false };
    return draftOfObject(object, dialect, report) ?? [];
  });
  requireOwnNames(drafts, report);
  return drafts;
}
