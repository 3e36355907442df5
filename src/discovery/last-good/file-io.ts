import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../core/errors.ts';
import { expectReadable, tooLong } from '../../files/file-fault.ts';
import { readBounded } from '../../files/read-file.ts';

/** Longest state file that is read or written. */
export const MAX_STATE_BYTES = 1_048_576;

/** More entries than this are not looked through for leftovers. */
const MAX_ENTRIES = 10_000;

/**
 * Reads a regular file of bounded size. Whatever else stands at the path is refused without being waited for: a FIFO
 * has nobody who writes, a device no end.
 *
 * @returns undefined when there is none
 * @throws the system's error, or one with code `EFTYPE` (no regular file) or `EFBIG`
 */
export async function readStateFile(path: string): Promise<string | undefined> {
  try {
    return (await readBounded(path, { maxBytes: MAX_STATE_BYTES })).bytes.toString('utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Puts a whole new file (mode 0600) in place of the one at `path`: a reader, also after a crash, finds the
 * old one or the new one. Each writer has a temporary file of its own, so two of them cannot mix.
 *
 * @throws the system's error, or one with code `EFTYPE` (a directory, socket or device is never replaced) or `EFBIG`
 */
export async function replaceStateFile(path: string, text: string): Promise<void> {
  if (Buffer.byteLength(text) > MAX_STATE_BYTES) throw tooLong(MAX_STATE_BYTES);
  await expectReplaceable(path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Removes the temporary files of writers that died. One that is alive and loses its file fails to rename it, and tries
 * again. Never rejects: what cannot be removed stays.
 */
export async function removeLeftovers(path: string): Promise<void> {
  const [folder, head] = [dirname(path), `.${basename(path)}.`];
  try {
    let entries = 0;
    for await (const { name } of await opendir(folder)) {
      if ((entries += 1) > MAX_ENTRIES) return;
      if (!name.startsWith(head) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(head.length))) continue;
      await unlink(join(folder, name)).catch(() => undefined);
    }
  } catch {
    // A folder that cannot be listed shows when the file is written.
  }
}

/** Without it the new name may be lost with the power. Some file systems cannot do it. */
async function syncDirectory(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file itself is in place.
  }
}

/** A rename would put a plain file in place of `/dev/null`. */
async function expectReplaceable(path: string): Promise<void> {
  let found: Stats;
  try {
    found = await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  if (!found.isSymbolicLink() && !found.isFIFO()) expectReadable(found, 'refused');
}
