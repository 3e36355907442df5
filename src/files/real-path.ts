import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf } from '../core/errors.ts';
import { tooLate } from './file-fault.ts';
import { onFileThread } from './file-threads.ts';
import { FILE_DEADLINE_MS } from './read-file.ts';

/**
 * Where a path leads, every link of it followed. What is not there yet would be made where its folder leads.
 *
 * @throws the system's error, or a FileFault
 */
export async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  return onFileThread(
    () => lead(whole),
    FILE_DEADLINE_MS,
    () => tooLate(FILE_DEADLINE_MS, false),
  );
}

async function lead(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const folder = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || folder === path) throw error;
    return join(await lead(folder), basename(path));
  }
}
