import { constants, type BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf } from '../core/errors.ts';
import { expectReadable, tooLate, tooLong, type Pipes } from './file-fault.ts';
import { onFileThread } from './file-threads.ts';

export interface ReadOptions {
  /** Default 1 MiB: whatever is longer is not what was meant. */
  readonly maxBytes?: number;
  /** Default 10 s: a network file system may never answer. */
  readonly deadlineMs?: number;
  /** Default `refused`. */
  readonly pipes?: Pipes;
}

export interface ReadBytes {
  readonly bytes: Buffer;
  /** Of the file that was read, whatever stands at its path by now. */
  readonly stats: BigIntStats;
}

export const MAX_FILE_BYTES = 1_048_576;
export const FILE_DEADLINE_MS = 10_000;
/** Does not wait for a writer, and makes no terminal ours. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** How often a pipe is asked whether it has more. */
export const PIPE_POLL_MS = 10;

/**
 * Reads a file that a setting names: all of it, if it is a regular one (or a pipe, where that makes sense), of a bounded
 * size, within a bounded time, whatever stands at the path.
 *
 * @throws the system's error, or a FileFault
 */
export async function readBounded(path: string, options: ReadOptions = {}): Promise<ReadBytes> {
  const { maxBytes = MAX_FILE_BYTES, deadlineMs = FILE_DEADLINE_MS, pipes = 'refused' } = options;
  const over = new AbortController();
  let isPipe = false;
  const work = async () => {
    expectReadable(await stat(path), pipes);
    const file = await open(path, READ_FLAGS);
    try {
      const stats = await file.stat({ bigint: true });
      expectReadable(stats, pipes);
      isPipe = stats.isFIFO();
      return { bytes: await readOpen(file, { maxBytes, isPipe, signal: over.signal }), stats };
    } finally {
      await file.close();
    }
  };
  return onFileThread(work, deadlineMs, () => {
    over.abort();
    return tooLate(deadlineMs, isPipe);
  });
}

interface OpenOptions {
  readonly maxBytes: number;
  readonly isPipe: boolean;
  readonly signal: AbortSignal;
}

async function readOpen(file: FileHandle, { maxBytes, isPipe, signal }: OpenOptions): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const read = await readSome(file, buffer.subarray(length));
    // A pipe is at its end for as long as nobody has begun to write, too.
    if (read === 0 && !(isPipe && length === 0)) break;
    if (read > 0) length += read;
    else await pause(PIPE_POLL_MS, undefined, { signal });
  }
  if (length > maxBytes) throw tooLong(maxBytes);
  return Buffer.from(buffer.subarray(0, length));
}

/** @returns -1 when there is nothing yet */
async function readSome(file: FileHandle, into: Buffer): Promise<number> {
  try {
    return (await file.read(into, 0, into.length, null)).bytesRead;
  } catch (error) {
    if (errnoOf(error) !== 'EAGAIN') throw error;
    return -1;
  }
}
