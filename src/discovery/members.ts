import { isIP } from 'node:net';
import { formatAddress, parseAddress, type Address } from '../core/address.ts';
import type { DialPolicy } from '../core/dial-policy.ts';

/**
 * Turns the names found in a service directory into a candidate set: strictly parsed, allowed by the dial policy,
 * without duplicates, sorted by name (so that cluster mode ties the same listener to the same member everywhere).
 *
 * A name that cannot be used is reported once for as long as it stays, and again when it comes back.
 */
export class MemberReader {
  readonly #policy: DialPolicy;
  readonly #ignored: (name: string, reason: string) => void;
  #reported = new Set<string>();

  constructor(policy: DialPolicy, ignored: (name: string, reason: string) => void) {
    this.#policy = policy;
    this.#ignored = ignored;
  }

  /** @param names what stands behind `<service directory>/`, e.g. `10.0.1.134:6379`; each whole, nested ones with slashes */
  read(names: Iterable<string>): readonly Address[] {
    const members = new Map<string, Address>();
    const unusable = new Set<string>();
    for (const name of [...names].sort(byCodeUnits)) {
      const verdict = this.#judge(name);
      if (typeof verdict === 'string') {
        unusable.add(name);
        if (!this.#reported.has(name)) this.#ignored(name, verdict);
        continue;
      }
      const key = formatAddress(verdict);
      if (!members.has(key)) members.set(key, verdict);
    }
    this.#reported = unusable;
    return [...members.values()];
  }

  #judge(name: string): Address | string {
    if (name === '') return 'expected host:port after the directory, got an empty name';
    if (name.includes('/')) return 'expected host:port right below the directory, got a nested key';
    const parsed = parseAddress(name, 'discovered');
    if (!parsed.ok) return `expected ${parsed.reason}`;
    const { address } = parsed;
    if (address.kind === 'tcp' && isIP(address.host) !== 0 && !this.#policy.permits(address.host)) {
      return 'not allowed: outside DISCOVERY_ALLOW, or link-local';
    }
    return address;
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
