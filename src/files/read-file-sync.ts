import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { expectReadable, tooLate, tooLong } from './file-fault.ts';
import { FILE_DEADLINE_MS, MAX_FILE_BYTES, PIPE_POLL_MS, READ_FLAGS } from './read-file.ts';
import { textOf } from './text.ts';

/**
 * Reads a text file, or a pipe, for a caller who cannot wait: the event loop does. A file system that hangs is the one thing
 * that it cannot be saved from.
 *
 * @throws the system's error, or a FileFault
 */
export function readTextSync(path: string, deadlineMs = FILE_DEADLINE_MS): string {
  expectReadable(statSync(path), 'read');
  const file = openSync(path, READ_FLAGS);
  try {
    const stats = fstatSync(file);
    expectReadable(stats, 'read');
    const deadline = performance.now() + deadlineMs;
    const buffer = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = readSome(file, buffer.subarray(length));
      // A pipe is at its end for as long as nobody has begun to write, too.
      if (read === 0 && !(stats.isFIFO() && length === 0)) break;
      if (read > 0) length += read;
      else if (performance.now() > deadline) throw tooLate(deadlineMs, true);
      else Atomics.wait(NEVER, 0, 0, PIPE_POLL_MS);
    }
    if (length > MAX_FILE_BYTES) throw tooLong(MAX_FILE_BYTES);
    return textOf(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** @returns -1 when there is nothing yet */
function readSome(file: number, into: Buffer): number {
  try {
    return readSync(file, into, 0, into.length, null);
  } catch (error) {
    if (errnoOf(error) !== 'EAGAIN') throw error;
    return -1;
  }
}
