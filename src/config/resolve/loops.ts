import { isIP } from 'node:net';
import { formatAddress, type Address } from '../../core/address.ts';
import { plainIp } from '../../core/ip-bytes.ts';
import type { Net } from '../config.ts';
import type { Report } from '../report.ts';
import { isPickedBySystem } from '../table/address-kinds.ts';
import { familiesOf } from './listeners.ts';

/** The addresses that the settings of one service name. */
export interface Way {
  readonly net: Net;
  readonly listeners: readonly Address[];
  /** Static candidates. */
  readonly candidates: readonly Address[];
  readonly origins: { readonly listeners: string; readonly candidates: string };
}

/** One listener, with the candidates that its clients are carried to. */
interface Door {
  readonly way: Way;
  readonly address: Address;
  readonly candidates: readonly Address[];
}

/**
 * A service that leads back to its own listener, straight or through others, would open connections to itself until there are
 * no descriptors left: a fault. One that leads to another, which ends at a server, is a chain and may be meant.
 */
export function checkLoops(ways: readonly Way[], report: Report): void {
  const doors = ways.flatMap((way) =>
    way.listeners.map((address, index) => ({ way, address, candidates: candidatesOf(way, index) })),
  );
  for (const door of doors) {
    for (const candidate of door.candidates) {
      const next = doors.filter((other) => leadsTo(candidate, other));
      const first = next.find((other) => other === door) ?? next.find((other) => reaches(other, door, doors));
      if (first === undefined) continue;
      const back = first === door ? '' : `, which leads back to ${door.way.origins.listeners}`;
      report.fault(
        door.way.origins.candidates,
        `expected the address of a server, got "${formatAddress(candidate)}", where ${first.way.origins.listeners} of this process listens${back}`,
      );
    }
  }
}

/** In cluster mode the n-th listener has the n-th candidate. */
function candidatesOf({ listeners, candidates }: Way, index: number): readonly Address[] {
  return listeners.length > 1 ? candidates.slice(index, index + 1) : candidates;
}

function reaches(from: Door, to: Door, doors: readonly Door[]): boolean {
  const seen = new Set<Door>();
  const left = [from];
  for (let door = left.pop(); door !== undefined; door = left.pop()) {
    if (door === to) return true;
    if (seen.has(door)) continue;
    seen.add(door);
    for (const candidate of door.candidates) left.push(...doors.filter((other) => leadsTo(candidate, other)));
  }
  return false;
}

/** Whether who dials `candidate` is accepted there, as far as the two texts say so: what a name stands for is not known. */
function leadsTo(candidate: Address, { address, way: { net } }: Door): boolean {
  if (isPickedBySystem(address)) return false;
  if (candidate.kind === 'unix' || address.kind === 'unix') return formatAddress(candidate) === formatAddress(address);
  if (candidate.port !== address.port) return false;
  const families = familiesOf(address, net);
  const dialed = dialedAt(candidate.host).filter(({ family }) => family === undefined || families.includes(family));
  return dialed.some(({ host }) => {
    if (isWildcard(address.host)) return host === 'localhost' || isLoopback(host);
    if (address.host === 'localhost') return host === 'localhost' || host === '127.0.0.1' || host === '::1';
    return host === (isIP(address.host) === 0 ? address.host : plainIp(address.host));
  });
}

interface Dialed {
  readonly host: string;
  readonly family: 4 | 6 | undefined;
}

/** Every spelling of loopback that a host is dialed at. */
function dialedAt(host: string): readonly Dialed[] {
  const [v4, v6] = [{ host: '127.0.0.1', family: 4 } as const, { host: '::1', family: 6 } as const];
  if (host === 'localhost') return [{ host, family: undefined }, v4, v6];
  if (host === '0.0.0.0') return [v4];
  if (host === '::') return [v6, v4];
  const family = isIP(host);
  if (family === 0) return [{ host, family: undefined }];
  const plain = plainIp(host);
  return [{ host: plain, family: isIP(plain) === 4 ? 4 : 6 }];
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
