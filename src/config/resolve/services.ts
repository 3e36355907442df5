import type { ServiceDraft } from '../gather/draft.ts';
import { locateJsonFault } from '../gather/json-fault.ts';
import type { Report } from '../report.ts';
import { draftOfObject, type ObjectDialect } from '../gather/service-object.ts';
import { describeType } from '../value-text.ts';
import { keyOf, namesOf, serviceSettingOfKey, settingNamed, settings } from '../table/settings.ts';

/** Settings in lower case, and the keys that ambd used. Its own dumps say "not set" by null, "" and []. */
const dialect: ObjectDialect = {
  // ambd's list of listen addresses, which made a service a cluster one.
  specOf: (key) => (key === 'range' ? settingNamed('SRC') : serviceSettingOfKey(key)),
  keyOf,
  keys: [
    'name',
    'range',
    ...settings
      .filter(({ scope }) => scope === 'service')
      .flatMap((w) => [...namesOf(w).map(keyOf), ...(w.spellings ?? [])]),
  ],
  isUnset: (value) =>
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0),
  numbers: 'text',
  defaultName: undefined,
};

export interface ServicesPlace {
  /** `SERVICES`, `SERVICES_FILE`, or the flag. */
  readonly origin: string;
  readonly fromFlag: boolean;
}

/** Reads the JSON of `SERVICES`. Faults carry paths such as `SERVICES[1].src`. */
export function readServices(json: string, place: ServicesPlace, report: Report): readonly ServiceDraft[] {
  const { origin, fromFlag } = place;
  const parsed = parseJson(json);
  if (!parsed.ok) {
    report.fault(origin, `expected a JSON array of services, got ${parsed.got}`);
    return [];
  }
  if (!Array.isArray(parsed.value)) {
    const remedy = describeType(parsed.value) === 'an object' ? '; put it into brackets: [{...}]' : '';
    report.fault(origin, `expected a JSON array of services, got ${describeType(parsed.value)}${remedy}`);
    return [];
  }
  return parsed.value.flatMap((value: unknown, index) => {
    const object = { value, origin: `${origin}[${index}]`, fromFlag };
    return draftOfObject(object, dialect, report) ?? [];
  });
}

function parseJson(json: string): { ok: true; value: unknown } | { ok: false; got: string } {
  if (json.trim() === '') return { ok: false, got: 'an empty value' };
  try {
    return { ok: true, value: JSON.parse(json) };
  } catch {
    const remedy = /[{,]\s*'/.test(json) ? '; JSON takes double quotes alone' : '';
    return { ok: false, got: `text that is no JSON (${locateJsonFault(json)})${remedy}` };
  }
}
