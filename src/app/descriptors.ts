import { readFileSync, statSync } from 'node:fs';

/** A client's socket and its candidate's. */
const PER_CONNECTION = 2;
/** Node itself, logs, look-ups of names, etcd, S3, files that are read again. */
const OWN = 40;
/** HTTP servers, resolvers and clients of a registry may take more where there is more. */
const RESERVED_SHARE = 1 / 16;
const MOST_RESERVED = 256;

/**
 * How many descriptors this process may have open: its soft limit, which Node has raised to the hard one when it started.
 *
 * @returns undefined where the system does not say (no `/proc`), Infinity when there is no limit
 */
export function descriptorLimit(): number | undefined {
  try {
    return parseDescriptorLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads the soft limit out of the text of `/proc/self/limits`. */
export function parseDescriptorLimit(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

/** Descriptors open now. Linux 6.2 and later say so without opening one, which may be just what cannot be done. */
export function descriptorsInUse(): number | undefined {
  try {
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

/**
 * How many connections fit below a limit, when something is kept back for everything else the process does.
 *
 * @param listeners sockets that listen
 */
export function connectionsThatFit(limit: number, listeners: number): number {
  if (limit === Infinity) return Infinity;
  const reserved = OWN + listeners + Math.min(MOST_RESERVED, limit * RESERVED_SHARE);
  return Math.max(1, Math.floor((limit - reserved) / PER_CONNECTION));
}
