import type { Server, Socket } from 'node:net';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { socketWithReader } from './socket-reader.ts';

/**
 * What Node calls for each accepted connection. Not documented, and the same in Node 20 to 24: `net.Server` has no way to
 * give its sockets the `onread` that `net.Socket` documents. It is used only where {@link directAcceptWorks} has seen it work.
 */
interface ServerHandle {
  onconnection?: (this: unknown, error: number, client: unknown) => void;
}

/**
 * From now on `server` gives sockets whose bytes are read into buffers of ours to `onConnection`, and emits no
 * `connection`. Such sockets do not keep the server from closing.
 *
 * @returns false, and nothing is changed, when Node's inner parts are not as known
 */
export function acceptDirectly(server: Server, onConnection: (socket: Socket) => void): boolean {
  const handle = (server as unknown as { readonly _handle?: ServerHandle | null })._handle;
  const usual = handle?.onconnection;
  if (handle === null || handle === undefined || typeof usual !== 'function') return false;
  handle.onconnection = function (error, client) {
    if (error === 0 && client !== undefined) onConnection(socketOf(client));
    else usual.call(this, error, client);
  };
  return true;
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
