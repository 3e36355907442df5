import type { NativeAddon } from './bindings.ts';

/** Candidates are few and dialed often. */
const MOST_KEPT = 1_024;
const kept = new Map<string, Buffer>();

/**
 * An address as the system has it.
 *
 * @param port below 0: `host` is the path of a Unix socket
 */
export function systemAddress(addon: NativeAddon, host: string, port: number): Buffer | undefined {
  const key = `${port} ${host}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const made = addon.address(host, port);
  if (made === undefined) return undefined;
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(key, made);
  return made;
}
