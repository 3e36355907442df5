import { isIP } from 'node:net';
import { formatAddress, type Address } from '../../core/address.ts';
import { isPickedBySystem } from '../table/address-kinds.ts';
import type { Net } from '../config.ts';
import type { Report } from '../report.ts';

/** An address that somebody wants to listen on. */
export interface DeclaredListener {
  readonly address: Address;
  readonly net: Net;
  /** The setting that says so. */
  readonly origin: string;
}

/** Two listeners for one address would leave one of them without it: a fault that names both. */
export function checkListeners(listeners: readonly DeclaredListener[], report: Report): void {
  listeners.forEach((listener, index) => {
    const first = listeners.slice(0, index).find((other) => clash(other, listener));
    if (first === undefined) return;
    const got = `"${formatAddress(listener.address)}", where ${first.origin} listens`;
    const same = formatAddress(first.address) === formatAddress(listener.address);
    report.fault(
      listener.origin,
      `expected an address of its own, got ${got}${same ? '' : ` (${formatAddress(first.address)})`}`,
    );
  });
}

/** The families a listener takes: a literal says so itself, a name or an empty host follows `NET`. */
export function familiesOf(address: Address, net: Net): readonly (4 | 6)[] {
  const literal = address.kind === 'tcp' ? isIP(address.host) : 0;
  if (literal === 4) return [4];
  if (literal === 6) return [6];
  return net === 'tcp' ? [4, 6] : net === 'tcp4' ? [4] : [6];
}

/** Whether one of two listeners would find its address taken. */
export function clash(
  a: Pick<DeclaredListener, 'address' | 'net'>,
  b: Pick<DeclaredListener, 'address' | 'net'>,
): boolean {
  if (isPickedBySystem(a.address)) return false;
  if (a.address.kind === 'unix' || b.address.kind === 'unix') {
    return formatAddress(a.address) === formatAddress(b.address);
  }
  if (a.address.port !== b.address.port) return false;
  const shared = familiesOf(a.address, a.net).filter((family) => familiesOf(b.address, b.net).includes(family));
  if (shared.length === 0) return false;
  return a.address.host === b.address.host || isWildcard(a.address.host) || isWildcard(b.address.host);
}

/** A wildcard takes the port on every interface, so a second listener on one interface finds it taken. */
function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}
