import { isIPv6 } from 'node:net';
import type { RegistryMember } from '../members.ts';

interface Details {
  readonly weight: number;
  readonly priority: number;
}

/** The members that a look found, in no order: name servers rotate theirs. */
export class MemberSet {
  /** The questions whose answers they come from: `A redis.example`. */
  readonly names = new Set<string>();
  /** Servers that SRV records name and that cannot be used: their name, and why. */
  readonly ignored: (readonly [key: string, reason: string])[] = [];
  readonly #members = new Map<string, Details | undefined>();

  get size(): number {
    return this.#members.size;
  }

  /** Of records that say different things of one address the one that counts most stays, whatever came first. */
  add(addresses: readonly string[], port: number, details?: Details): void {
    for (const ip of addresses) {
      const key = isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
      const before = this.#members.get(key);
      if (before === undefined || (details !== undefined && counts(details, before))) this.#members.set(key, details);
    }
  }

  members(): readonly RegistryMember[] {
    return [...this.#members].map(([key, details]) => [key, { details: details ?? {} }]);
  }
}

function counts(a: Details, b: Details): boolean {
  return a.priority < b.priority || (a.priority === b.priority && a.weight > b.weight);
}
