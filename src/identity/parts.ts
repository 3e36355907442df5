import type { PartName } from '../core/material-origin.ts';

/** One part as it was read. */
export interface MaterialPart {
  /** Its path or `s3://` URI, for messages. */
  readonly origin: string;
  readonly bytes: Buffer;
}

export type MaterialParts = Readonly<Partial<Record<PartName, MaterialPart>>>;
