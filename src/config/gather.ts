import { errnoOf, type ConfigFault } from '../core/errors.ts';
import { attach } from './attach.ts';
import { declareServices } from './declare.ts';
import { suffixOf, type Draft, type ServiceDraft } from './draft.ts';
import { givenInEnvironment, type Given } from './given.ts';
import type { Environment } from './injected.ts';
import { nearMiss } from './near-miss.ts';
import { didYouMean } from './nearest.ts';
import { quote } from './quote.ts';
import type { Report } from './report.ts';
import { readServices } from './services.ts';
import { Settings, type Setting } from './setting.ts';
import type { ReadFile } from './small-file.ts';
import { readSuffixed } from './suffixed.ts';
import type { Word } from './word.ts';
import { isDefault, readName, wordNamed } from './words.ts';

/** The flags of a command line. */
export interface Flags {
  readonly given: readonly Given[];
  /** Reported together with everything else that is wrong. */
  readonly faults: readonly ConfigFault[];
}

export const noFlags: Flags = { given: [], faults: [] };

export interface Places {
  readonly flags: Flags;
  readonly env: Environment;
  readonly readFile: ReadFile;
}

const SHORTEST = ['SRC=:16379 DST=10.0.3.144:6379', 'SRC=:16379 SRV=/srv/redis/debug'];

/** Joins flags, variables and files into one draft: flags over environment, names tied to services. */
export function gather(places: Places, report: Report): Draft {
  const given = [...places.flags.given, ...givenInEnvironment(places.env, report)];
  const { process, defaults, declaring, rest } = gatherBare(given, report);
  readSecretFiles(process, places.readFile, report);
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
  if (services.length === 0 && report.faultCount === faultsBefore) {
    report.fault('SRC', `expected a service, got none; declare one by ${SHORTEST.join(' or by ')}`);
  }
  warnOfNearMisses(unknown, new Set([...declared, ...groups.keys()]), report);
  return { process, defaults, services, spell: (word) => word };
}

interface Bare {
  readonly process: Settings;
  readonly defaults: Settings;
  /** SRC, DST and SRV. */
  readonly declaring: Settings;
  /** Names that are no bare word. */
  readonly rest: readonly Given[];
}

function gatherBare(given: readonly Given[], report: Report): Bare {
  const process = new Settings(report);
  const defaults = new Settings(report);
  const declaring = new Settings(report);
  const rest: Given[] = [];
  for (const one of given) {
    const reading = readName(one.name);
    if (reading === undefined || reading.kind === 'suffixed') {
      rest.push(one);
      continue;
    }
    const { word } = reading;
    const settings = word.scope === 'process' ? process : isDefault(word) ? defaults : declaring;
    for (const setting of settingsOf(one, word, reading.kind === 'secret-file')) settings.put(setting);
  }
  return { process, defaults, declaring, rest };
}

/** One setting, or two: etcdctl takes `user:password` as its user. */
function settingsOf(given: Given, word: Word, isPath: boolean): readonly Setting[] {
  const { text, origin, fromFlag } = given;
  const colon = given.name === 'ETCDCTL_USER' ? text.indexOf(':') : -1;
  if (colon < 0) return [{ word, text, origin, fromFlag, isPath }];
  return [
    { word, text: text.slice(0, colon), origin, fromFlag, isPath },
    { word: wordNamed('ETCD_PASSWORD'), text: text.slice(colon + 1), origin, fromFlag, isPath },
  ];
}

/** The path is not shown: who mixes up `X` and `X_FILE` has typed the secret itself there. */
function readSecretFiles(settings: Settings, readFile: ReadFile, report: Report): void {
  for (const setting of [...settings.values()].filter(({ isPath }) => isPath)) {
    try {
      const text = readFile(setting.text).replace(/\r?\n$/, '');
      settings.replace({ ...setting, text, isPath: false });
    } catch (error) {
      report.fault(setting.origin, `expected the path of a readable file, got ${errnoOf(error)}`);
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
      `expected the path of a readable file, got ${quote(setting.text)} (${errnoOf(error)})`,
    );
    return [];
  }
  return readServices(json, setting, report);
}

function warnOfNearMisses(unknown: readonly Given[], suffixes: ReadonlySet<string>, report: Report): void {
  for (const { name, origin } of unknown) {
    const meant = nearMiss(name, suffixes);
    if (meant !== undefined) report.warn(origin, `unknown and ignored${didYouMean(meant)}`);
  }
}
