import type { Stats } from 'node:fs';
import { errnoOf } from '../core/errors.ts';

/** What is found in place of a file that can be read. */
export class FileFault extends Error {
  /** `EFTYPE`: something else than a file. `EFBIG`: too long. `ETIMEDOUT`: no answer, or no end. */
  readonly code: 'EFTYPE' | 'EFBIG' | 'ETIMEDOUT';
  /** Fits behind "got". */
  readonly found: string;

  constructor(code: FileFault['code'], expected: string, found: string) {
    super(`expected ${expected}, got ${found}`);
    this.name = 'FileFault';
    this.code = code;
    this.found = found;
  }
}

/** What to say behind "got" of an error of reading: the errno of the system, or what stands at the path. */
export function foundInstead(error: unknown): string {
  return error instanceof FileFault ? error.found : errnoOf(error);
}

/** Whether a pipe is read, too: only where a text is read once, as with `<(command)`. */
export type Pipes = 'refused' | 'read';

/**
 * Before anything is opened: a FIFO has perhaps nobody who writes, a device no end, and to open one can have effects.
 *
 * @throws FileFault
 */
export function expectReadable(
  found: Pick<Stats, 'isFile' | 'isFIFO' | 'isDirectory' | 'isSocket'>,
  pipes: Pipes,
): void {
  if (found.isFile() || (pipes === 'read' && found.isFIFO())) return;
  throw new FileFault('EFTYPE', 'a regular file', `a ${kindOf(found)}`);
}

export function tooLong(maxBytes: number): FileFault {
  return new FileFault('EFBIG', `at most ${maxBytes} bytes`, `more than ${maxBytes} bytes`);
}

export function tooLate(ms: number, isPipe: boolean): FileFault {
  if (isPipe) return new FileFault('ETIMEDOUT', 'text', `a pipe that was not written to its end within ${ms} ms`);
  return new FileFault('ETIMEDOUT', 'a file', `no answer of the file system within ${ms} ms`);
}

function kindOf(found: Pick<Stats, 'isFIFO' | 'isDirectory' | 'isSocket'>): string {
  if (found.isDirectory()) return 'directory';
  if (found.isFIFO()) return 'FIFO';
  return found.isSocket() ? 'socket' : 'device';
}
