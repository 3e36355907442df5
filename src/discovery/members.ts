import { isIP } from 'node:net';
import { formatAddress, parseAddress, type Address } from '../core/address.ts';
import { endpointOf, type Endpoint, type ReadDetails } from '../core/endpoint.ts';
import type { DialPolicy } from '../core/dial-policy.ts';

/** Why a set with too many members is not put in force; undefined: it may be. @param most 0: no limit */
export function tooMany(count: number, most: number): string | undefined {
  if (most === 0 || count <= most) return undefined;
  return `${count} members, more than MAX_MEMBERS=${most}: the last good set stays; raise MAX_MEMBERS and the memory limit, or name a smaller directory`;
}

/** What a registry holds of a member: its name, and what its value says. */
export type RegistryMember = readonly [name: string, said: ReadDetails];

/** Told of a name, and why. */
type Told = (name: string, reason: string) => void;

/**
 * Turns the names found in a service directory into a candidate set: strictly parsed, allowed by the dial policy,
 * without duplicates, sorted by name (so that cluster mode ties the same listener to the same member everywhere).
 *
 * A name that cannot be used, and a detail that is wrong, is reported once for as long as it stays, and again when it comes back.
 */
export class MemberReader {
  readonly #policy: DialPolicy;
  readonly #ignored: Told;
  readonly #detailIgnored: Told | undefined;
  /** Reasons by name. */
  #reported = new Map<string, string>();

  constructor(policy: DialPolicy, ignored: Told, detailIgnored?: Told) {
    this.#policy = policy;
    this.#ignored = ignored;
    this.#detailIgnored = detailIgnored;
  }

  /** @param found names are what stands behind `<service directory>/`, e.g. `10.0.1.134:6379`; each whole, nested ones with slashes */
  read(found: Iterable<RegistryMember>): readonly Endpoint[] {
    const members = new Map<string, Endpoint>();
    const reasons = new Map<string, string>();
    const tell = (name: string, reason: string, told: Told | undefined) => {
      reasons.set(name, reason);
      if (this.#reported.get(name) !== reason) told?.(name, reason);
    };
    for (const [name, { details, fault }] of [...found].sort(byName)) {
      const verdict = this.#judge(name);
      if (typeof verdict === 'string') {
        tell(name, verdict, this.#ignored);
        continue;
      }
      if (fault !== undefined) tell(name, fault, this.#detailIgnored);
      const key = formatAddress(verdict);
      if (!members.has(key)) members.set(key, endpointOf(verdict, details));
    }
    this.#reported = reasons;
    return [...members.values()];
  }

  #judge(name: string): Address | string {
    if (name === '') return 'expected host:port after the directory, got an empty name';
    if (name.includes('/')) return 'expected host:port right below the directory, got a nested key';
    const parsed = parseAddress(name, 'discovered');
    if (!parsed.ok) return `expected ${parsed.reason}`;
    const { address } = parsed;
    if (address.kind !== 'tcp' || isIP(address.host) === 0) return address;
    const refusal = this.#policy.refusal(address.host, address.port);
    return refusal === undefined ? address : `not allowed: ${refusal}`;
  }
}

function byName([a]: RegistryMember, [b]: RegistryMember): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
