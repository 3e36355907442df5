import { formatAddress } from './address.ts';
import type { ProxyEnds } from './proxy-header.ts';

/** One connection's way through this process: the listener that it came in by, and the way that led there. */
export interface Passage {
  /** The listener; compared by identity. */
  readonly door: object;
  /** Undefined: it came from outside. */
  readonly before: Passage | undefined;
}

/**
 * Dials of this process that end at a listener of this process, by both ends of their TCP connection. One end is not enough:
 * the kernel gives a port of this machine to connections with different destinations at the same time.
 */
export class OwnDials {
  readonly #passages = new Map<string, Passage>();

  /** The way that led to a client that was accepted; undefined when it comes from outside. */
  leadingTo(client: { readonly ends: ProxyEnds | undefined }): Passage | undefined {
    // Asking for the ends costs a system call, and hardly any process dials itself.
    if (this.#passages.size === 0 || client.ends === undefined) return undefined;
    return this.#passages.get(keyOf(client.ends));
  }

  add(ends: ProxyEnds, passage: Passage): void {
    this.#passages.set(keyOf(ends), passage);
  }

  delete(ends: ProxyEnds): void {
    this.#passages.delete(keyOf(ends));
  }
}

/** Whether a chain of dials has been through this listener: once more would be a loop. */
export function hasPassed(door: object, way: Passage | undefined): boolean {
  for (let passage = way; passage !== undefined; passage = passage.before) if (passage.door === door) return true;
  return false;
}

function keyOf({ source, destination }: ProxyEnds): string {
  const [from, to] = [source, destination].map(({ ip, port }) => formatAddress({ kind: 'tcp', host: ip, port }));
  return `${from} ${to}`;
}
