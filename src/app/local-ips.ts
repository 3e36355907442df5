import { networkInterfaces } from 'node:os';

/** The addresses that this machine has now, with zones as the system writes them. */
export function localIps(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
