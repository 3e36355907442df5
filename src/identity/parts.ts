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
