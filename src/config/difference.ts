import { isDeepStrictEqual } from 'node:util';
import type { ServiceConfig } from './config.ts';

/** A service whose settings differ. */
export interface ServiceChange {
  readonly before: ServiceConfig;
  readonly after: ServiceConfig;
  /** The fields that differ, at least one. */
  readonly fields: readonly (keyof ServiceConfig)[];
}

/** What leads from one list of services to another. A name stands in exactly one of the four. */
export interface Difference {
  readonly added: readonly ServiceConfig[];
  readonly changed: readonly ServiceChange[];
  readonly removed: readonly ServiceConfig[];
  readonly unchanged: readonly ServiceConfig[];
}

/** Where a service was declared says nothing of what it does. */
const ignored: ReadonlySet<string> = new Set(['origin']);

/** Compares two lists of services by name. The order of services means nothing. */
export function differenceOf(before: readonly ServiceConfig[], after: readonly ServiceConfig[]): Difference {
  const old = new Map(before.map((service) => [service.name, service]));
  const names = new Set(after.map(({ name }) => name));
  const kept = after.flatMap((service) => {
    const known = old.get(service.name);
    return known === undefined ? [] : [{ before: known, after: service, fields: fieldsThatDiffer(known, service) }];
  });
  return {
    added: after.filter(({ name }) => !old.has(name)),
    changed: kept.filter(({ fields }) => fields.length > 0),
    removed: before.filter(({ name }) => !names.has(name)),
    unchanged: kept.filter(({ fields }) => fields.length === 0).map((change) => change.before),
  };
}

function fieldsThatDiffer(before: ServiceConfig, after: ServiceConfig): readonly (keyof ServiceConfig)[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof ServiceConfig)[]);
  return [...names].filter((name) => !ignored.has(name) && !isDeepStrictEqual(before[name], after[name]));
}
