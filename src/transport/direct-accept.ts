import type { Server, Socket } from 'node:net';
import { platform } from 'node:os';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { socketWithReader } from './socket-reader.ts';

/**
 * What Node calls for each accepted connection. Not documented, and the same in Node 20 to 24: `net.Server` has no way to
 * give its sockets the `onread` that `net.Socket` documents. It is used only where {@link directAcceptWorks} has seen it work.
 */
interface ServerHandle {
  onconnection?: (this: unknown, error: number, client: unknown) => void;
  /** Of a TCP handle. */
  setNoDelay?: (on: boolean) => number;
  setKeepAlive?: (on: boolean, seconds: number) => number;
}

export interface DirectAcceptOptions {
  /** Before the first packet that asks whether the client is still there, ms; 0: it is not asked. */
  readonly keepAliveDelayMs: number;
  readonly onConnection: (socket: Socket) => void;
}

/**
 * From now on `server` gives sockets whose bytes are read into buffers of ours to `onConnection`, and emits no
 * `connection`. Such sockets do not keep the server from closing.
 *
 * @returns false, and nothing is changed, when Node's inner parts are not as known
 */
export function acceptDirectly(server: Server, { keepAliveDelayMs, onConnection }: DirectAcceptOptions): boolean {
  const handle = (server as unknown as { readonly _handle?: ServerHandle | null })._handle;
  const usual = handle?.onconnection;
  if (handle === null || handle === undefined || typeof usual !== 'function') return false;
  // Linux gives what is set on a listening socket to those it accepts, which saves five calls for each of them.
  const isInherited = platform() === 'linux' && setOptions(handle, keepAliveDelayMs);
  handle.onconnection = function (error, client) {
    if (error === 0 && client !== undefined) {
      const socket = socketOf(client);
      if (!isInherited) {
        socket.setNoDelay(true);
        if (keepAliveDelayMs > 0) socket.setKeepAlive(true, keepAliveDelayMs);
      }
      onConnection(socket);
    } else usual.call(this, error, client);
  };
  return true;
}

/** @returns whether all is set, or nothing is to be: a Unix socket has no such options */
function setOptions(handle: ServerHandle, keepAliveDelayMs: number): boolean {
  if (handle.setNoDelay === undefined || handle.setKeepAlive === undefined) return false;
  if (handle.setNoDelay(true) !== 0) return false;
  return keepAliveDelayMs === 0 || handle.setKeepAlive(true, keepAliveDelayMs / 1_000) === 0;
}

function socketOf(handle: unknown): Socket {
  return socketWithReader({
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    readable: true,
    writable: true,
    readableHighWaterMark: WRITE_HIGH_WATER_BYTES,
    writableHighWaterMark: WRITE_HIGH_WATER_BYTES,
  });
}
