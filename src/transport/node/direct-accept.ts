import type { Server, Socket } from 'node:net';
import { platform } from 'node:os';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { handleOf, handleOfServer, optionsForHandle, streamOptions, type ServerHandle } from './internals.ts';
import { socketWithReader } from './socket-reader.ts';

export interface DirectAcceptOptions {
  /** Before the first packet that asks whether the client is still there, ms; 0: it is not asked. */
  readonly keepAliveDelayMs: number;
  readonly onConnection: (socket: Socket) => void;
}

/**
 * From now on `server` gives sockets whose bytes are read into buffers of ours to `onConnection`, and emits no
 * `connection`. Such sockets do not keep the server from closing. `net.Server` has no documented way to give its sockets
 * the `onread` that `net.Socket` documents: this one is used only where {@link directAcceptWorks} has seen it work.
 *
 * @returns false, and nothing is changed, when Node's inner parts are not as known
 */
export function acceptDirectly(server: Server, { keepAliveDelayMs, onConnection }: DirectAcceptOptions): boolean {
  const handle = handleOfServer(server);
  const usual = usualOf(handle);
  if (handle === null || handle === undefined || usual === undefined) return false;
  // Linux gives what is set on a listening socket to those it accepts, which saves five calls for each of them.
  const isInherited = platform() === 'linux' && setOptions(handle, keepAliveDelayMs);
  return listenWith(handle, function (error, ...rest) {
    const [client] = rest;
    const socket = error === 0 && client !== undefined ? socketOf(client) : undefined;
    if (socket === undefined) {
      // Nothing is to be had directly from a Node that is not as known: neither this one nor the next.
      if (error === 0) listenWith(handle, usual);
      Reflect.apply(usual, this, [error, ...rest]);
      return;
    }
    if (!isInherited) {
      socket.setNoDelay(true);
      if (keepAliveDelayMs > 0) socket.setKeepAlive(true, keepAliveDelayMs);
    }
    onConnection(socket);
  });
}

/** @returns whether Node lets it be set */
function listenWith(handle: ServerHandle, listener: Required<ServerHandle>['onconnection']): boolean {
  try {
    handle.onconnection = listener;
    return handle.onconnection === listener;
  } catch {
    return false;
  }
}

/** @returns undefined where Node does not accept as known */
function usualOf(handle: ServerHandle | null | undefined): ServerHandle['onconnection'] {
  try {
    const usual = handle?.onconnection;
    return typeof usual === 'function' ? usual : undefined;
  } catch {
    return undefined;
  }
}

/** @returns whether all is set, or nothing is to be: a Unix socket has no such options */
function setOptions(handle: ServerHandle, keepAliveDelayMs: number): boolean {
  try {
    if (handle.setNoDelay?.(true) !== 0) return false;
    return keepAliveDelayMs === 0 || handle.setKeepAlive?.(true, keepAliveDelayMs / 1_000) === 0;
  } catch {
    return false;
  }
}

/** @returns undefined where Node makes no such socket */
function socketOf(handle: unknown): Socket | undefined {
  try {
    const socket = socketWithReader({
      ...optionsForHandle(handle),
      ...streamOptions(WRITE_HIGH_WATER_BYTES),
      allowHalfOpen: true,
    });
    return handleOf(socket) === handle ? socket : undefined;
  } catch {
    return undefined;
  }
}
