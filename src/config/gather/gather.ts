import { foundInstead } from '../../files/file-fault.ts';
import { attach } from './attach.ts';
import { declareServices } from './declare.ts';
import { suffixOf, type Draft, type LookAt, type ServiceDraft } from './draft.ts';
import type { Flags } from './given-flags.ts';
import { givenBy, type RawSetting } from './raw-setting.ts';
import type { Environment } from './injected.ts';
import { nearMiss } from './near-miss.ts';
import { didYouMean } from './nearest.ts';
import { quote } from '../quote.ts';
import type { Report } from '../report.ts';
import { readServices } from '../resolve/services.ts';
import { Settings, type Setting } from './setting.ts';
import type { ReadFile } from './small-file.ts';
import { bareSecret, isQuoted } from './stray.ts';
import { readSuffixed } from './suffixed.ts';
import type { SettingSpec } from '../table/setting-spec.ts';
import { isDefault, readName, settingNamed } from '../table/settings.ts';

export interface GatherInputs {
  readonly flags: Flags;
  readonly env: Environment;
  readonly readFile: ReadFile;
  readonly lookAt?: LookAt;
}

const SHORTEST = ['SRC=:16379 DST=10.0.3.144:6379', 'SRC=:16379 SRV=/srv/redis/debug'];

/** Joins flags, variables and files into one draft: flags over environment, names tied to services. */
export function gather(places: GatherInputs, report: Report): Draft {
  const given = givenBy(places.flags.given, places.env, report);
  const { process, defaults, declaring, rest } = gatherBare(given, report);
  for (const settings of [process, defaults]) readSecretFiles(settings, places.readFile, report);
  const faultsBefore = report.faultCount;
  const listed = [
    ...servicesIn(process.get('SERVICES'), (json) => json, report),
    ...servicesIn(process.get('SERVICES_FILE'), places.readFile, report),
  ];
  const declared = new Set(listed.map(({ name }) => suffixOf(name)));
  for (const { name } of rest) if (name.startsWith('SRC_')) declared.add(name.slice('SRC_'.length));
  const { groups, unknown } = readSuffixed(rest, declared);
  const { services, left } = declareServices({ bare: declaring, groups, listed, report });
  attach(left, services, report);
  for (const { settings } of services) readSecretFiles(settings, places.readFile, report);
  const isFollowed = process.has('SERVICES_KEY');
  if (isFollowed) refuseBesideKey(process, services, report);
  const isSaid = isFollowed || ['SERVICES', 'SERVICES_FILE'].some((name) => process.isRefused(name));
  if (services.length === 0 && !isSaid && report.faultCount === faultsBefore) {
    report.fault('SRC', `expected a service, got none; declare one by ${SHORTEST.join(' or by ')}`);
  }
  warnOfNearMisses(unknown, new Set([...declared, ...groups.keys()]), report);
  const others = { ...(isFollowed && { isOpen: true }), ...(places.lookAt && { lookAt: places.lookAt }) };
  return { process, defaults, services, spell: (name) => name, ...others };
}

/** One list is in force: which one would not be clear when both change. */
function refuseBesideKey(process: Settings, services: readonly ServiceDraft[], report: Report): void {
  const beside = [
    ...['SERVICES', 'SERVICES_FILE'].filter((name) => process.has(name)).map((name) => process.origin(name)),
    ...services.filter(({ origin }) => !origin.includes('[')).map(({ origin }) => origin),
  ];
  if (beside.length === 0) return;
  const got = `${beside.join(', ')}; move these services to the key, or leave the key out`;
  report.fault(process.origin('SERVICES_KEY'), `expected no other service beside it, got ${got}`);
}

interface Bare {
  readonly process: Settings;
  readonly defaults: Settings;
  /** SRC, DST, SRV and REGISTER. */
  readonly declaring: Settings;
  /** Names that are no setting as they stand. */
  readonly rest: readonly RawSetting[];
}

function gatherBare(given: readonly RawSetting[], report: Report): Bare {
  const process = new Settings(report);
  const defaults = new Settings(report);
  const declaring = new Settings(report);
  const rest: RawSetting[] = [];
  for (const one of given) {
    const reading = readName(one.name);
    if (reading === undefined || reading.kind === 'suffixed') {
      rest.push(one);
      continue;
    }
    const { spec } = reading;
    const settings = spec.scope === 'process' ? process : isDefault(spec) ? defaults : declaring;
    for (const setting of settingsOf(one, spec, reading.kind === 'secret-file')) settings.put(setting);
  }
  return { process, defaults, declaring, rest };
}

/** One setting, or two: etcdctl takes `user:password` as its user. */
function settingsOf(given: RawSetting, spec: SettingSpec, isPath: boolean): readonly Setting[] {
  const { text, origin, fromFlag } = given;
  const colon = given.name === 'ETCDCTL_USER' ? text.indexOf(':') : -1;
  if (colon < 0) return [{ spec, text, origin, fromFlag, isPath }];
  // In quotes the text is refused whole, for both.
  if (isQuoted(text)) {
    return [spec, settingNamed('ETCD_PASSWORD')].map((each) => ({ spec: each, text, origin, fromFlag, isPath }));
  }
  return [
    { spec, text: text.slice(0, colon), origin, fromFlag, isPath },
    { spec: settingNamed('ETCD_PASSWORD'), text: text.slice(colon + 1), origin, fromFlag, isPath },
  ];
}

/** The path is not shown: who mixes up `X` and `X_FILE` has typed the secret itself there. */
function readSecretFiles(settings: Settings, readFile: ReadFile, report: Report): void {
  for (const setting of [...settings.values()].filter(({ isPath }) => isPath)) {
    try {
      const read = bareSecret({ ...setting, text: readFile(setting.text) }, report);
      if (read !== undefined) settings.replace({ ...read, isPath: false });
    } catch (error) {
      report.fault(setting.origin, `expected the path of a readable file, got ${foundInstead(error)}`);
    }
  }
}

function servicesIn(setting: Setting | undefined, read: ReadFile, report: Report): readonly ServiceDraft[] {
  if (setting === undefined) return [];
  let json: string;
  try {
    json = read(setting.text);
  } catch (error) {
    report.fault(
      setting.origin,
      `expected the path of a readable file, got ${quote(setting.text)} (${foundInstead(error)})`,
    );
    return [];
  }
  return readServices(json, setting, report);
}

function warnOfNearMisses(unknown: readonly RawSetting[], suffixes: ReadonlySet<string>, report: Report): void {
  for (const { name, origin } of unknown) {
    const meant = nearMiss(name, suffixes);
    if (meant !== undefined) report.warn(origin, `unknown and ignored${didYouMean(meant)}`);
  }
}
