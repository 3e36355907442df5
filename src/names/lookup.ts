import { isIPv6, type LookupFunction } from 'node:net';
import type { Family, Resolver } from '../core/resolver.ts';

/** A resolver in the form that sockets of Node, and libraries that open some, take as their `lookup`. */
export function lookupBy(resolver: Resolver): LookupFunction {
  return (hostname, { all, family }, callback) => {
    resolver.resolve(hostname, familyOf(family)).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
        const [first] = found;
        // Outside of the promise: what a caller throws is its own.
        if (all === true) setImmediate(callback, null, found);
        else setImmediate(callback, null, first?.address ?? '', first?.family ?? 4);
      },
      (error: unknown) => setImmediate(callback, error as NodeJS.ErrnoException, all === true ? [] : '', 0),
    );
  };
}

function familyOf(family: number | 'IPv4' | 'IPv6' | undefined): Family {
  if (family === 4 || family === 'IPv4') return 4;
  return family === 6 || family === 'IPv6' ? 6 : 0;
}
