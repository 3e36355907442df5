import { isServiceName, nameKey, type ServiceDraft } from './draft.ts';
import { expected } from '../table/kind.ts';
import type { Report } from '../report.ts';
import { Settings } from './setting.ts';
import { spellBeside } from './spell.ts';
import { isForeignGroup, type Suffixed } from './suffixed.ts';

const SUFFIX = /^[A-Z][A-Z0-9_]*$/;

export interface DeclareOptions {
  /** Bare SRC, DST, SRV and REGISTER. */
  readonly bare: Settings;
  /** Settings with a suffix, by suffix. */
  readonly groups: ReadonlyMap<string, readonly Suffixed[]>;
  /** Services written as objects. */
  readonly listed: readonly ServiceDraft[];
  readonly report: Report;
}

export interface Declared {
  readonly services: readonly ServiceDraft[];
  /** Settings whose suffix has no `SRC_` of ours: for a service written as an object, or for none. */
  readonly left: readonly Suffixed[];
}

/** The services that were declared, in order: the bare one, suffixed ones by name, listed ones as listed. */
export function declareServices(options: DeclareOptions): Declared {
  const { bare, groups, listed, report } = options;
  const listedKeys = new Set(listed.map(({ name }) => nameKey(name)));
  const services = [...declareBare(bare, report)];
  const left: Suffixed[] = [];
  for (const [suffix, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const source = declaringOne(group);
    if (source === undefined || (isForeignGroup(group) && !listedKeys.has(nameKey(suffix)))) left.push(...group);
    else services.push(...declareGroup(source, group, report));
  }
  services.push(...listed);
  requireOwnNames(services, report);
  return { services, left };
}

/** Adds a setting to a service. */
export function putSuffixed(settings: Settings, { spec, given, isPath }: Suffixed): void {
  const { text, origin, fromFlag } = given;
  settings.put({ spec, text, origin, fromFlag, isPath });
}

/** A name declared twice is a fault that names both places. */
export function requireOwnNames(services: readonly ServiceDraft[], report: Report): void {
  const firsts = new Map<string, ServiceDraft>();
  for (const service of services) {
    const first = firsts.get(nameKey(service.name));
    if (first === undefined) firsts.set(nameKey(service.name), service);
    else report.fault(service.named, `${expected('a name of its own', service.name)}, which ${first.named} has`);
  }
}

function declareBare(settings: Settings, report: Report): readonly ServiceDraft[] {
  const declaring = ['SRC', 'REGISTER'].find((name) => settings.has(name));
  if (declaring !== undefined) {
    const origin = settings.origin(declaring);
    return [{ name: 'default', origin, named: origin, spell: (name) => spellBeside(origin, name), settings }];
  }
  for (const { origin } of settings.values()) {
    report.fault(origin, `expected ${spellBeside(origin, 'SRC')} beside it, got none`);
  }
  return [];
}

/** Its SRC; or its REGISTER with a DST, which is a service that only registers. */
function declaringOne(group: readonly Suffixed[]): Suffixed | undefined {
  const named = (name: string) => group.find(({ spec }) => spec.name === name);
  return named('SRC') ?? (named('DST') === undefined ? undefined : named('REGISTER'));
}

function declareGroup(source: Suffixed, group: readonly Suffixed[], report: Report): readonly ServiceDraft[] {
  const { suffix } = source;
  const { origin } = source.given;
  if (!SUFFIX.test(suffix) || !isServiceName(suffix)) {
    report.fault(origin, expected(`a name such as REDIS after ${spellBeside(origin, `${source.spec.name}_`)}`, suffix));
    return [];
  }
  const settings = new Settings(report);
  for (const one of group) putSuffixed(settings, one);
  const name = suffix.toLowerCase().replaceAll('_', '-');
  const spell = (name: string): string => spellBeside(origin, `${name}_${suffix}`);
  return [{ name, origin, named: origin, spell, settings }];
}
