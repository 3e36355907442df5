import { printable } from './quote.ts';
import { valueAt } from './table/fields.ts';
import type { Plain } from './table/kind.ts';
import { processSettings } from './table/process-settings.ts';
import { serviceSettings } from './table/service-settings.ts';
import type { SettingRow } from './table/setting-spec.ts';
import { keyOf } from './table/settings.ts';
import type { Config, ServiceConfig } from './config.ts';

type Row = readonly [name: string, value: Plain];

/** A configuration as text for people: every setting with its value, aligned, without secrets or a newline at the end. */
export function describeConfig(config: Config): string {
  const blocks = [
    ...config.services.map((service) => block(`service ${service.name} (${service.origin})`, serviceRows(service))),
    block('process', processRows(config)),
  ];
  if (config.warnings.length > 0) blocks.push(['warnings', ...config.warnings.map((text) => `  ${text}`)].join('\n'));
  return blocks.join('\n\n');
}

/**
 * A configuration as JSON for programs, without secrets: lower-case settings, `services` in the shape that the variable
 * `SERVICES` takes, so that what was printed can be used.
 *
 * @param more what else the object says
 */
export function describeConfigJson(config: Config, more: object = {}): string {
  const services = config.services.map((service) => ({
    name: service.name,
    ...describeService(service),
  }));
  const all = { services, ...Object.fromEntries(processRows(config)), warnings: config.warnings, ...more };
  return JSON.stringify(all, null, 2);
}

/** The effective settings of one service, lower case, without secrets. */
export function describeService(service: ServiceConfig): Readonly<Record<string, Plain>> {
  return Object.fromEntries(serviceRows(service));
}

function serviceRows(service: ServiceConfig): readonly Row[] {
  const { candidates, register } = service;
  // Of a service that is not found in the registry, but registers there.
  const isOnlyRegistered = candidates.kind === 'static' && register?.registry !== undefined;
  const fieldOf = (name: string) => (name === 'DSC' && isOnlyRegistered ? { field: 'register.registry' } : {});
  return Object.entries(serviceSettings).flatMap(([name, row]) => rowOf(name, { ...row, ...fieldOf(name) }, service));
}

function processRows(config: Config): readonly Row[] {
  return Object.entries(processSettings).flatMap(([name, row]) => [
    // Defaults of services that the process shows, too.
    ...(name === 'DISCOVERY_ON_FAILURE'
      ? rowOf('DSC', { ...serviceSettings.DSC, field: 'discovery.backend' }, config)
      : []),
    ...(name === 'ADMIN_SOCKET_MODE' ? rowOf('SOCKET_MODE', serviceSettings.SOCKET_MODE, config) : []),
    ...(registryRow(name, row, config) ?? rowOf(name, row, config)),
  ]);
}

/** A setting of a registry that only services of their own have. */
function registryRow(name: string, row: SettingRow, { discovery, services }: Config): readonly Row[] | undefined {
  const prefix = 'discovery.backend.';
  if (row.field?.startsWith(prefix) !== true) return undefined;
  const own = services.flatMap(({ candidates, register }) =>
    [candidates.kind === 'static' ? undefined : candidates.registry, register?.registry].filter(
      (one) => one !== undefined,
    ),
  );
  const [found = []] = [discovery.backend, ...own]
    .map((backend) => rowOf(name, { ...row, field: row.field?.slice(prefix.length) ?? '' }, backend))
    .filter((rows) => rows.length > 0);
  return found;
}

function rowOf(name: string, { field, kind }: SettingRow, config: object): readonly Row[] {
  if (field === undefined) return [];
  const value = valueAt(config, field);
  const shown = value === undefined ? kind.absent : kind.format(value);
  return shown === undefined ? [] : [[keyOf(name), shown]];
}

function block(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${show(value)}`)].join('\n');
}

function show(value: Plain): string {
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  return text === '' ? '-' : printable(text);
}
