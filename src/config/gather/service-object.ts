import { isServiceName, nameGrammar, type ServiceDraft } from './draft.ts';
import { expected } from '../table/kind.ts';
import { settingsElsewhere } from './named-elsewhere.ts';
import { didYouMean, nearest } from './nearest.ts';
import type { Report } from '../report.ts';
import { Settings } from './setting.ts';
import { describeType, textOfValue } from '../value-text.ts';
import type { SettingSpec } from '../table/setting-spec.ts';
import { variableOfFlag } from '../table/settings.ts';

/** How services are written as objects: in `SERVICES`, and in the library. */
export interface ObjectDialect {
  /** The setting a key stands for. */
  readonly specOf: (key: string) => SettingSpec | undefined;
  /** The key of a setting. */
  readonly keyOf: (name: string) => string;
  readonly keys: readonly string[];
  /** Whether a value says nothing. */
  readonly isUnset: (value: unknown) => boolean;
  readonly numbers: 'text' | 'ms';
  /** The name of a service that has none; undefined: a name is required. */
  readonly defaultName: string | undefined;
}

export interface ServiceObject {
  readonly value: unknown;
  /** Its path: `SERVICES[0]`. */
  readonly origin: string;
  readonly fromFlag: boolean;
}

/** Reads one service written as an object; undefined when the value is no object. Faults carry the path of the key. */
export function draftOfObject(object: ServiceObject, dialect: ObjectDialect, report: Report): ServiceDraft | undefined {
  const { value, origin, fromFlag } = object;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report.fault(origin, `expected an object, got ${describeType(value)}`);
    return undefined;
  }
  const settings = new Settings(report);
  for (const [key, given] of Object.entries(value)) {
    if (key === 'name') continue;
    const path = `${origin}.${key}`;
    const spec = dialect.specOf(key);
    if (spec === undefined) {
      const lower = key.toLowerCase();
      const near = nearest(key, dialect.keys) ?? nearest(lower, dialect.keys) ?? elsewhere(lower, dialect);
      report.fault(path, `expected a setting of a service, got an unknown key${didYouMean(near)}`);
    } else if (!dialect.isUnset(given) || (given !== undefined && given !== null && spec.refusesEmpty !== undefined)) {
      const read = textOfValue(given, spec, dialect.numbers);
      if (read.ok) settings.put({ spec, text: read.text, origin: path, fromFlag, isPath: false });
      else {
        report.fault(path, read.message);
        settings.refuse(spec.name, path);
      }
    }
  }
  const name = readName('name' in value ? value.name : undefined, { origin, dialect, report });
  const spell = (name: string): string => `${origin}.${dialect.keyOf(name)}`;
  return { name, origin, named: `${origin}.name`, spell, settings };
}

function elsewhere(key: string, { keyOf }: ObjectDialect): string | undefined {
  const flag = settingsElsewhere[key.replaceAll('_', '-')];
  return flag && keyOf(variableOfFlag(flag));
}

interface NamePlace {
  readonly origin: string;
  readonly dialect: ObjectDialect;
  readonly report: Report;
}

/** A faulty name is replaced by the object's path, which no other service has, so that its settings are still checked. */
function readName(value: unknown, place: NamePlace): string {
  const { origin, dialect, report } = place;
  const path = `${origin}.name`;
  if (dialect.isUnset(value)) {
    if (dialect.defaultName !== undefined) return dialect.defaultName;
    report.fault(path, 'expected a name, got none');
  } else if (typeof value !== 'string') {
    report.fault(path, `expected a string, got ${describeType(value)}`);
  } else if (!isServiceName(value)) {
    report.fault(path, expected(nameGrammar, value));
  } else {
    return value;
  }
  return origin;
}
