/**
 * Everything of Node that the documentation does not promise is reached here, and nowhere else. Each part may be missing or
 * different in the next release: what uses it has another way, which `docs/node-versions.md` names.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errnoOf, type Errno } from '../../core/errors.ts';

/* Below a socket */

interface SocketHandle {
  reading?: boolean;
  readStop?: () => number;
}

function handleOf(socket: Socket): SocketHandle | null | undefined {
  return (socket as unknown as { readonly _handle?: SocketHandle | null })._handle;
}

/** Has libuv look away from a socket, though its stream flows. */
export function stopHandle(socket: Socket): void {
  const handle = handleOf(socket);
  if (socket.destroyed || typeof handle?.readStop !== 'function') return;
  handle.reading = false;
  try {
    handle.readStop();
  } catch {
    // Then libuv looks as it did before.
  }
}

/** The way back from {@link stopHandle}. */
export function readHandleAgain(socket: Socket): void {
  if (!socket.destroyed) socket._read(0);
}

/** An option that a socket gives to its stream, though it is not among its own. */
export function streamOptions(highWaterMarkBytes: number): object {
  return { writableHighWaterMark: highWaterMarkBytes };
}

/* TLS */

/** An option that a TLS socket gives to its stream. */
export function tlsStreamOptions(highWaterMarkBytes: number): object {
  return { highWaterMark: highWaterMarkBytes };
}

export interface ServerHandshake {
  /** The handshake is done; nobody has looked at the client's chain. */
  readonly done: () => void;
  /** What is wrong, during the handshake or later. */
  readonly failed: (error: unknown) => void;
}

/** `tls.Server` listens to the same two events; a bare socket of a server has no documented ones. */
export function onServerHandshake(socket: TLSSocket, { done, failed }: ServerHandshake): void {
  socket.on('_tlsError', failed);
  socket.once('secure', done);
}

/** What is wrong with the chain that a client has shown; `UNVERIFIED` where nothing can be said. */
export function chainFaultOf(socket: TLSSocket): Errno | 'UNVERIFIED' | undefined {
  const { ssl } = socket as TLSSocket & { readonly ssl?: { verifyError?: () => Error | null | undefined } | null };
  if (typeof ssl?.verifyError !== 'function') return 'UNVERIFIED';
  const error = ssl.verifyError();
  return error === null || error === undefined ? undefined : errnoOf(error);
}

/** SNI; the types have it only for the client's side. */
export function serverNameOf(socket: TLSSocket): string | false | null | undefined {
  return (socket as TLSSocket & { readonly servername?: string | false | null }).servername;
}

type Push = (this: TLSSocket, chunk: unknown, encoding?: BufferEncoding) => boolean;

/**
 * Node calls the `push` of a TLS socket in the very read that brings the bytes, or the end; events may be as late as their
 * reader is.
 *
 * @param push it has to end with {@link pushOn}, or the `push` that was there before
 */
export function hearPush(socket: TLSSocket, push: Push): void {
  socket.push = push;
}

/** Node's own `push`, which is on the prototype. */
export function pushOn(socket: TLSSocket, chunk: unknown, encoding?: BufferEncoding): boolean {
  return (Object.getPrototypeOf(socket) as TLSSocket).push.call(socket, chunk, encoding);
}

/** Node calls the `destroy` of a TLS socket at once when its handshake has failed. */
export function hearDestroy(socket: TLSSocket, destroy: (error?: Error) => TLSSocket): void {
  socket.destroy = destroy;
}
