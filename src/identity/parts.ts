import { createHash } from 'node:crypto';
import type { PartName } from '../core/material-origin.ts';
import { invalid, type MaterialError } from './material-error.ts';

/** One part as it was read. */
export interface MaterialPart {
  /** Its path or `s3://` URI, for messages. */
  readonly origin: string;
  readonly bytes: Buffer;
}

export type MaterialParts = Readonly<Partial<Record<PartName, MaterialPart>>>;

/** Largest part that is read: whatever is longer is not what was meant. */
export const MAX_PART_BYTES = 1_048_576;

export function tooLarge(origin: string): MaterialError {
  return invalid(origin, 'expected at most 1 MiB, found more');
}

/** What parts with the same bytes share, and no others. */
export function fingerprintOf(parts: MaterialParts): string {
  const hash = createHash('sha256');
  for (const name of ['ca', 'cert', 'key'] as const) {
    const bytes = parts[name]?.bytes;
    hash.update(`${name}:${bytes?.length ?? 'none'}:`).update(bytes ?? '');
  }
  return hash.digest('hex');
}
