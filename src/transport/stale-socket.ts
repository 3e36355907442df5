import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { errnoOf } from '../core/errors.ts';

/** How long a live owner of the socket has to accept, before its file is still not taken for stale. */
const PROBE_MS = 1_000;

/**
 * Removes the socket file that a process left behind when it was killed. A file somebody still listens on, and a file
 * that is no socket, stay. Never rejects.
 *
 * @returns whether the path is free now
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket() || !(await isRefused(path))) return false;
    await unlink(path);
    return true;
  } catch {
    return false;
  }
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path, timeout: PROBE_MS });
    const answer = (refused: boolean) => {
      probe.destroy();
      resolve(refused);
    };
    probe.on('connect', () => answer(false));
    probe.on('timeout', () => answer(false));
    probe.on('error', (error) => answer(errnoOf(error) === 'ECONNREFUSED'));
  });
}
