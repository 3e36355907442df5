import { isDeepStrictEqual } from 'node:util';
import { askAttache } from '../admin/client.ts';
import type { Config } from '../config/config.ts';
import { describeService } from '../config/describe.ts';
import { quote } from '../config/quote.ts';
import { formatAddress, parseAddress, type Address } from '../core/address.ts';
import { ConfigError } from '../core/errors.ts';
import { visible } from '../core/visible.ts';

/** What a running attache would do with a configuration, by names of services. */
export interface Against {
  readonly added: readonly string[];
  readonly changed: readonly ChangedService[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

export interface ChangedService {
  readonly name: string;
  /** By key of `SERVICES`, those that differ; a value that one side has not is missing. */
  readonly settings: Readonly<Record<string, { readonly before?: unknown; readonly after?: unknown }>>;
}

type Described = Readonly<Record<string, unknown>>;

const DEADLINE_MS = 5_000;

/**
 * The running attache that is meant.
 *
 * @param text `http://127.0.0.1:29092`, or the same without `http://`; `unix:/path`
 * @throws ConfigError
 */
export function readAgainst(text: string): Address {
  const parsed = parseAddress(text.replace(/^http:\/\//i, '').replace(/\/$/, ''), 'candidate');
  if (parsed.ok) return parsed.address;
  const message = `expected the ADMIN_ADDR of a running attache, such as http://127.0.0.1:29092, got ${quote(text)}`;
  throw new ConfigError([{ setting: '--against', message }]);
}

/**
 * Compares services with those in force in a running attache, setting by setting. Secrets are not compared: nobody is told them.
 *
 * @throws Error with a line for people when it does not tell its services
 */
export async function checkAgainst(services: Config['services'], address: Address): Promise<Against> {
  const before = byName(await servicesOf(address));
  const after = byName(services.map((service) => ({ name: service.name, ...describeService(service) })));
  const both = [...after].flatMap(([name, described]) => {
    const old = before.get(name);
    return old === undefined ? [] : [{ name, settings: settingsThatDiffer(old, described) }];
  });
  const isChanged = ({ settings }: ChangedService) => Object.keys(settings).length > 0;
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    changed: both.filter(isChanged),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    unchanged: both.filter((one) => !isChanged(one)).map(({ name }) => name),
  };
}

/** Whether a running attache would stay as it is. */
export function isSame({ added, changed, removed }: Against): boolean {
  return added.length + changed.length + removed.length === 0;
}

/** What would change, as text for people, without a newline at the end. */
export function describeAgainst(against: Against, address: Address): string {
  const { added, changed, removed, unchanged } = against;
  const rows = [
    ...added.map((name) => `  added    ${visible(name)}`),
    ...changed.flatMap(({ name, settings }) => [
      `  changed  ${visible(name)}`,
      ...Object.entries(settings).map(
        ([key, { before, after }]) => `             ${visible(key)}: ${show(before)} -> ${show(after)}`,
      ),
    ]),
    ...removed.map((name) => `  removed  ${visible(name)}`),
  ];
  const count = unchanged.length === 1 ? '1 service stays as it is' : `${unchanged.length} services stay as they are`;
  return [
    `against ${formatAddress(address)}: ${isSame(against) ? 'nothing would change' : 'this would change'}`,
    ...rows,
    `  ${count}`,
  ].join('\n');
}

async function servicesOf(address: Address): Promise<readonly Described[]> {
  const where = formatAddress(address);
  const reply = await askAttache(address, { path: '/services', deadlineMs: DEADLINE_MS });
  if (!reply.ok) throw new Error(`${visible(reply.detail)} from ${where}: name the ADMIN_ADDR of a running attache`);
  try {
    const listed: unknown = reply.status === 200 ? JSON.parse(reply.body) : undefined;
    if (Array.isArray(listed) && listed.every(isNamed)) return listed;
  } catch {
    // As below.
  }
  const status = reply.status ?? 'nothing';
  throw new Error(
    `the program at ${where} answered ${status}, and no services: name the ADMIN_ADDR of a running attache`,
  );
}

function isNamed(one: unknown): one is Described {
  return typeof one === 'object' && one !== null && 'name' in one && typeof one.name === 'string';
}

function byName(all: readonly Described[]): ReadonlyMap<string, Described> {
  return new Map(all.map(({ name, ...settings }) => [String(name), settings]));
}

function settingsThatDiffer(before: Described, after: Described): ChangedService['settings'] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const differing = keys.filter((key) => !isDeepStrictEqual(before[key], after[key]));
  return Object.fromEntries(
    differing.map((key) => [
      key,
      { ...(key in before && { before: before[key] }), ...(key in after && { after: after[key] }) },
    ]),
  );
}

function show(value: unknown): string {
  if (value === undefined) return '-';
  const text = Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : JSON.stringify(value);
  return text === '' ? '-' : visible(text);
}
