import { closeSync, openSync, readSync } from 'node:fs';

const MAX_BYTES = 1_048_576;

/** Reads a whole text file. @throws the system's error */
export type ReadFile = (path: string) => string;

/**
 * Reads a file of at most 1 MiB; bounded, as the path may turn out to be a device without an end.
 *
 * @throws the system's error, or one with code `EFBIG`
 */
export function readSmallFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
    if (length > MAX_BYTES) throw Object.assign(new Error('file over 1 MiB'), { code: 'EFBIG' });
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}
