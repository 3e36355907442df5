import type { ServiceDraft } from './draft.ts';
import { locateJsonFault } from './json-fault.ts';
import type { Report } from './report.ts';
import { draftOfObject, type ObjectDialect } from './service-object.ts';
import { describeType } from './value-text.ts';
import { keyOf, serviceWordOfKey, wordNamed, words } from './words.ts';

/** Lower-case words, and the keys ambd used. Its own dumps say "not set" by null, "" and []. */
const dialect: ObjectDialect = {
  // ambd's list of listen addresses, which made a service a cluster one.
  wordOf: (key) => (key === 'range' ? wordNamed('SRC') : serviceWordOfKey(key)),
  keyOf,
  keys: [
    'name',
    'range',
    ...words.filter(({ scope }) => scope === 'service').flatMap((w) => [keyOf(w.name), ...(w.spellings ?? [])]),
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
    report.fault(origin, `expected a JSON array of services, got ${describeType(parsed.value)}`);
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
    return { ok: false, got: `text that is no JSON (${locateJsonFault(json)})` };
  }
}
