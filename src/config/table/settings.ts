import { processSettings } from './process-settings.ts';
import { declaringSettings, serviceSettings } from './service-settings.ts';
import type { SettingSpec, SettingTable } from './setting-spec.ts';

/** Every setting, per-service ones first, in the order of the tables. */
export const settings: readonly SettingSpec[] = [
  ...rows(serviceSettings, 'service'),
  ...rows(processSettings, 'process'),
];

const byName = new Map(settings.map((spec) => [spec.name, spec]));
const byVariable = new Map(
  settings.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, spec])),
);
const byFlag = new Map(
  settings.flatMap((spec) => [...namesOf(spec).map(flagOf), ...(spec.spellings ?? [])].map((f) => [f, spec])),
);
const bySecretFile = new Map(
  settings.filter((spec) => spec.kind.form === 'secret').map((spec) => [`${spec.name}_FILE`, spec]),
);
const perServiceVariables = [...byVariable]
  .filter(([, spec]) => spec.scope === 'service')
  .flatMap(([variable, spec]) => [
    { prefix: `${variable}_`, spec, isPath: false },
    ...(spec.kind.form === 'secret' ? [{ prefix: `${variable}_FILE_`, spec, isPath: true }] : []),
  ])
  .sort((a, b) => b.prefix.length - a.prefix.length);

/** What a variable's name says. */
export type NameReading =
  | { readonly kind: 'setting'; readonly spec: SettingSpec }
  /** `ETCD_PASSWORD_FILE` */
  | { readonly kind: 'secret-file'; readonly spec: SettingSpec }
  /** `DST_PG`, `HEALTH_PASSWORD_FILE_PG`: the suffix is what a user typed, and may be no valid one. */
  | { readonly kind: 'suffixed'; readonly spec: SettingSpec; readonly suffix: string; readonly isPath: boolean };

/**
 * Reads the name of a variable; undefined when attache has no such setting. A setting matched whole wins over a setting with a
 * suffix. Of several settings with a suffix the longest whose suffix is declared wins, then the longest.
 *
 * @param declared suffixes that name services
 */
export function readName(name: string, declared: ReadonlySet<string> = new Set()): NameReading | undefined {
  const spec = byVariable.get(name);
  if (spec !== undefined) return { kind: 'setting', spec };
  const secret = bySecretFile.get(name);
  if (secret !== undefined) return { kind: 'secret-file', spec: secret };
  const readings = perServiceVariables
    .filter(({ prefix }) => name.startsWith(prefix))
    .map(({ prefix, spec: found, isPath }) => {
      return { kind: 'suffixed', spec: found, suffix: name.slice(prefix.length), isPath } as const;
    });
  return readings.find(({ suffix }) => declared.has(suffix)) ?? readings[0];
}

/** The variable a flag stands for: `connect-timeout-pg` is `CONNECT_TIMEOUT_PG`, `loglevel` is `LOG_LEVEL`. */
export function variableOfFlag(flag: string): string {
  return byFlag.get(flag)?.name ?? flag.replaceAll('-', '_').toUpperCase();
}

/** The per-service setting of a key of `SERVICES`. */
export function serviceSettingOfKey(key: string): SettingSpec | undefined {
  const services = settings.filter(({ scope }) => scope === 'service');
  return (
    services.find((spec) => namesOf(spec).some((name) => key === keyOf(name))) ??
    services.find(({ spellings }) => spellings?.includes(key))
  );
}

/** @throws RangeError for a name that is in no table: a mistake in this program */
export function settingNamed(name: string): SettingSpec {
  const spec = byName.get(name);
  if (spec === undefined) throw new RangeError(`no setting ${name}`);
  return spec;
}

/** The name, then the one that it had before: each in every form, as variable, flag, key and option. */
export function namesOf({ name, formerName }: SettingSpec): readonly string[] {
  return formerName === undefined ? [name] : [name, formerName];
}

/** Whether the setting without a suffix is a default for every service. */
export function isDefault(spec: SettingSpec): boolean {
  return spec.scope === 'service' && !declaringSettings.some((name) => name === spec.name);
}

/** `CONNECT_TIMEOUT` as a flag without its dashes: `connect-timeout`. */
export function flagOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** `CONNECT_TIMEOUT` as a key of `SERVICES`: `connect_timeout`. */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

/** `CONNECT_TIMEOUT` as an option of the library: `connectTimeout`. */
export function optionOf(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether a setting holds or limits a list of services as JSON: the library has no option for it. */
export function isOfLists(name: string): boolean {
  return /^(?:SERVICES(?:_FILE|_KEY)?|CONFIG_ALLOW_\w+)$/.test(name);
}

/** Names of variables, for hints: settings, aliases, and `_FILE` of secrets. */
export const variableNames: readonly string[] = [...byVariable.keys(), ...bySecretFile.keys()];
/** Names of flags without dashes, for hints. */
export const flagNames: readonly string[] = [...byFlag.keys(), ...[...bySecretFile.keys()].map(flagOf)];

function rows(table: SettingTable, scope: SettingSpec['scope']): SettingSpec[] {
  return Object.entries(table).map(([name, row]) => {
    const { aliases = [], formerName } = row;
    return { ...row, name, scope, aliases: formerName === undefined ? aliases : [...aliases, formerName] };
  });
}
