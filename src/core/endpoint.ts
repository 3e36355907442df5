import { formatAddress, type Address } from './address.ts';

/** One member of a candidate set: its address, and its share of the traffic. */
export interface Endpoint {
  /** Canonical text of the address; it identifies the member. */
  readonly key: string;
  /** The address that attache dials. */
  readonly address: Address;
  /** The member's share beside the others of its priority: 0 to 65535, whole; 0: no new connections; default 1. */
  readonly weight: number;
  /**
   * Lower numbers come first; a higher number is used while no member of a lower one is available: 0 to 65535, whole;
   * default 0.
   */
  readonly priority: number;
  /** The member's zone, shown to people. */
  readonly zone?: string | undefined;
}

/** Details that a registry may give for a member besides its address. */
export interface EndpointDetails {
  /** The member's share beside the others of its priority: 0 to 65535, whole; 0: no new connections; default 1. */
  readonly weight?: number | undefined;
  /**
   * Lower numbers come first; a higher number is used while no member of a lower one is available: 0 to 65535, whole;
   * default 0.
   */
  readonly priority?: number | undefined;
  /** The member's zone, e.g. `eu-west-1a`, shown to people; default: none. */
  readonly zone?: string | undefined;
}

export const MAX_WEIGHT = 65_535;
export const MAX_PRIORITY = 65_535;
const MAX_ZONE_LENGTH = 64;

/** Makes an endpoint from an address; a detail that is not given has its default. */
export function endpointOf(address: Address, details: EndpointDetails = {}): Endpoint {
  const { weight = 1, priority = 0, zone } = details;
  const endpoint = { key: formatAddress(address), address, weight, priority };
  return zone === undefined ? endpoint : { ...endpoint, zone };
}

/** What sources of others may report: a bare address is an endpoint with the defaults. */
export function toEndpoint(member: Endpoint | Address): Endpoint {
  return 'key' in member ? member : endpointOf(member);
}

/** Whether two sets say the same of the same members, in the same order. */
export function sameEndpoints(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return (
    a.length === b.length &&
    a.every((endpoint, index) => {
      const other = b[index];
      return endpoint.key === other?.key && sameDetails(endpoint, other);
    })
  );
}

/** Whether two endpoints of one address say the same. */
export function sameDetails(a: EndpointDetails, b: EndpointDetails): boolean {
  return a.weight === b.weight && a.priority === b.priority && a.zone === b.zone;
}

export type ReadDetails =
  | { readonly details: EndpointDetails; readonly fault?: undefined }
  /** `details` is what can be used all the same. */
  | { readonly details: EndpointDetails; readonly fault: string };

/**
 * Reads what a registry holds as a member's value. A JSON object may carry `weight`, `priority` and `zone`; anything else in
 * it, and any other value, is no news: whatever servers have written there before is nobody's fault.
 *
 * A detail that is wrong counts as not said, and is told.
 */
export function readDetails(value: string): ReadDetails {
  const object = parseObject(value);
  return object === undefined ? NOTHING_SAID : checkDetails(object);
}

/** Longest value that is looked at, bytes: a longer one says nothing. */
export const MAX_VALUE_BYTES = 4_096;

/** What a value says that is empty, or not meant for us. */
export const NOTHING_SAID: ReadDetails = { details: {} };

/** {@link readDetails} of the bytes that a registry holds. */
export function readValue(value: Buffer): ReadDetails {
  return value.length === 0 || value.length > MAX_VALUE_BYTES ? NOTHING_SAID : readDetails(value.toString('utf8'));
}

/** Whether two values of one member say the same, faults included. */
export function saysSame(a: ReadDetails, b: ReadDetails): boolean {
  return a === b || (sameDetails(a.details, b.details) && a.fault === b.fault);
}

/** {@link readDetails} of an object. */
export function checkDetails(object: Readonly<Record<string, unknown>>): ReadDetails {
  const faults: string[] = [];
  const whole = (name: 'weight' | 'priority', most: number): number | undefined => {
    const said = object[name];
    if (said === undefined) return undefined;
    if (typeof said === 'number' && Number.isInteger(said) && said >= 0 && said <= most) return said;
    faults.push(`expected "${name}" to be a whole number from 0 to ${most}, got ${short(said)}`);
    return undefined;
  };
  const zoneOf = (): string | undefined => {
    const said = object['zone'];
    if (said === undefined) return undefined;
    if (typeof said === 'string' && /^[\w.:/-]+$/.test(said) && said.length <= MAX_ZONE_LENGTH) return said;
    faults.push(
      `expected "zone" to be a name of at most ${MAX_ZONE_LENGTH} letters, digits and . : / - _, got ${short(said)}`,
    );
    return undefined;
  };
  const details = { weight: whole('weight', MAX_WEIGHT), priority: whole('priority', MAX_PRIORITY), zone: zoneOf() };
  if (faults.length > 0) return { details, fault: faults.join('; ') };
  // A registry may hold many of these.
  return sameDetails(details, NOTHING_SAID.details) ? NOTHING_SAID : { details };
}

/** A value as the JSON object that it is; undefined: it is none. */
export function parseObject(value: string): Readonly<Record<string, unknown>> | undefined {
  // Nothing but an object is read, and most values are none.
  if (!/^\s*\{/.test(value)) return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return (text ?? 'nothing').slice(0, 40);
}
