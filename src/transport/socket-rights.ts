import { chmodSync, lstatSync } from 'node:fs';
import type { ListenOptions, Server } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** Everybody who may enter the folder may connect, as everybody on a machine may connect to a port of loopback. */
export const OPEN_SOCKET_MODE = 0o666;

/**
 * Makes the file of a Unix socket, with the mode asked for from the moment it is there.
 *
 * @param bind makes the file before it returns
 * @throws what `bind` throws, or the system's error for a mode that cannot be had; then there may be a file
 */
export function bindWithMode(path: string, mode: number, bind: () => void): void {
  const mask = isMainThread ? process.umask(~mode & 0o777) : undefined;
  try {
    bind();
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  setMode(path, mode);
}

export interface SocketRights {
  readonly where: ListenOptions;
  /** The mode of a Unix socket's file; a user that may write to the file may connect. */
  readonly mode: number;
}

/**
 * Listens as `server.listen` does. The file of a Unix socket has the mode asked for from the moment it is there, so that
 * nobody can connect who may not: a mode that is set afterwards is too late for a quick client.
 *
 * @param onListening called once, when it listens; what fails is an `error` of the server
 */
export function listenWithRights(server: Server, { where, mode }: SocketRights, onListening: () => void): void {
  const { path } = where;
  if (path === undefined) {
    server.listen(where, onListening);
    return;
  }
  // The mask is the process's: it is back before anything else runs. A worker thread has none to set.
  const mask = isMainThread ? process.umask(~mode & 0o777) : undefined;
  try {
    server.listen(where, () => {
      try {
        setMode(path, mode);
      } catch (error) {
        server.close();
        server.emit('error', error);
        return;
      }
      onListening();
    });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
}

function setMode(path: string, mode: number): void {
  if ((lstatSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
}
