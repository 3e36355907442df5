import type { Endpoint } from '../../core/endpoint.ts';

/**
 * A canonical address, with more only where not all is as usual. As read from a file these are only texts, and details that
 * may be anything: check before use.
 */
export type LastGoodMember = string | LastGoodDetailed;

interface LastGoodDetailed {
  readonly address: string;
  readonly [detail: string]: unknown;
}

/** A candidate set as it was last confirmed. */
export interface LastGoodSet {
  /** `Date.now()` since when the set has been this one. */
  readonly since: number;
  /** In the order they are tried. */
  readonly members: readonly LastGoodMember[];
}

/** By service directory, see `keyOf` of the file. */
export type LastGoodSets = ReadonlyMap<string, LastGoodSet>;

export type ParsedLastGood =
  { readonly ok: true; readonly sets: LastGoodSets } | { readonly ok: false; readonly reason: string };

const FORMAT = 'attache-last-good';
const VERSION = 1;

/** What is kept of a member. */
export function lastGoodMember({ key, weight, priority, zone }: Endpoint): LastGoodMember {
  if (weight === 1 && priority === 0 && zone === undefined) return key;
  return {
    address: key,
    ...(weight !== 1 && { weight }),
    ...(priority !== 0 && { priority }),
    ...(zone !== undefined && { zone }),
  };
}

/** Whether two members are kept as the same. */
export function sameMember(a: LastGoodMember, b: LastGoodMember | undefined): boolean {
  return a === b || (typeof a !== 'string' && JSON.stringify(a) === JSON.stringify(b));
}

/** The file's text: JSON, a line for each service, so that a person can read and compare it. */
export function formatLastGood(sets: LastGoodSets): string {
  const lines = [...sets].map(([key, { since, members }]) => {
    const entry = { since: new Date(since).toISOString(), members };
    return `    ${JSON.stringify(key)}: ${JSON.stringify(entry)}`;
  });
  const head = `{\n  "format": "${FORMAT}",\n  "version": ${VERSION},\n`;
  return `${head}  "services": {\n${lines.join(',\n')}\n  }\n}\n`;
}

/** Takes the text whole or not at all. Never throws: `reason` fits behind the file's name. */
export function parseLastGood(text: string): ParsedLastGood {
  const root = parseJson(text);
  if (root === undefined) return refuse('not a whole JSON object');
  if (root['format'] !== FORMAT) return refuse('written by something else');
  if (root['version'] !== VERSION) return refuse(`written by another version: expected format version ${VERSION}`);
  const services = root['services'];
  if (!isObject(services)) return refuse('no services in it');
  const sets = new Map<string, LastGoodSet>();
  for (const [key, value] of Object.entries(services)) {
    const set = readSet(value);
    if (set === undefined) return refuse('an entry that is no candidate set');
    sets.set(key, set);
  }
  return { ok: true, sets };
}

function readSet(value: unknown): LastGoodSet | undefined {
  if (!isObject(value)) return undefined;
  const { since, members } = value;
  const at = typeof since === 'string' ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(at) || !isMembers(members)) return undefined;
  return { since: at, members };
}

function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMembers(value: unknown): value is readonly LastGoodMember[] {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === 'string' || (isObject(item) && typeof item['address'] === 'string'))
  );
}

function refuse(reason: string): ParsedLastGood {
  return { ok: false, reason };
}
