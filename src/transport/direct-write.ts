import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/**
 * Writing past the stream of a socket, straight to the handle below it. A stream spends more on a small write than the
 * kernel does, on bookkeeping that a relay does for itself. Not documented, and the same in Node 20 to 24; it is used
 * where accepting directly is, and tried by the same check.
 */
export interface WriteHandle {
  /** @returns 0, or a negative errno; what the kernel did not take at once is written later, and then told to `request` */
  writeBuffer?: (this: WriteHandle, request: WriteRequest, chunk: Uint8Array) => number;
}

/** What libuv's answer is given to when a write was not done at once. */
export interface WriteRequest {
  /** -1 unless a write that was not done at once uses it. */
  getAsyncId?: () => number;
  oncomplete?: (this: WriteRequest, status: number) => void;
  handle?: unknown;
  /** Kept from the garbage collector until then. */
  buffer?: unknown;
  /** Told then. */
  writer?: Writer | undefined;
}

/** Hears of a write that was not done at once. */
export interface Writer {
  /** @param status 0, or a negative errno */
  written(status: number): void;
  /** Nothing of a write was taken, and nothing will be of another. @param status a negative errno */
  refused(status: number): void;
}

/** Node's class of requests, which it does not show: it is learnt from a write of Node's own. */
let Request: (new () => WriteRequest) | undefined;
/** One that no write has used up. */
let spare: WriteRequest | undefined;

const UNUSED = -1;

export type Written = 'whole' | 'partly' | 'failed' | 'unable';

/**
 * Writes `chunk` behind everything written before, provided that nothing is waiting in the socket's stream.
 *
 * @returns `whole`: the kernel has it; `partly`: `writer` is told when it has, and `chunk` must stay as it is until then;
 *   `failed`: `writer` has been told why; `unable`: nothing was done, it has to be written the usual way
 */
export function writeDirectly(socket: Socket, chunk: Buffer, writer: Writer): Written {
  const handle = handleOf(socket);
  if (handle?.writeBuffer === undefined || socket.connecting) return 'unable';
  if (Request === undefined) {
    learn(handle);
    return 'unable';
  }
  const request = (spare ??= new Request());
  const status = handle.writeBuffer(request, chunk);
  if (status !== 0) {
    writer.refused(status);
    return 'failed';
  }
  // The queue of the handle does not tell: what the kernel takes at the second try leaves none, and the request is in use.
  if (request.getAsyncId?.() === UNUSED) return 'whole';
  spare = undefined;
  request.oncomplete = onComplete;
  request.handle = handle;
  request.buffer = chunk;
  request.writer = writer;
  return 'partly';
}

/** The error that Node would report for a write. */
export function writeError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { errno: status, code, syscall: 'write' });
}

function handleOf(socket: Socket): WriteHandle | null | undefined {
  return (socket as unknown as { readonly _handle?: WriteHandle | null })._handle;
}

/** Looks at the request of the next write to `handle`, which is Node's own. */
function learn(handle: WriteHandle): void {
  const { writeBuffer } = handle;
  handle.writeBuffer = function (this: WriteHandle, request, chunk) {
    // What is below shows again: the method of all handles.
    delete this.writeBuffer;
    // Without its id nobody can tell whether a write is done.
    if (typeof request.getAsyncId === 'function') Request = request.constructor as new () => WriteRequest;
    return writeBuffer?.call(this, request, chunk) ?? 0;
  };
}

function onComplete(this: WriteRequest, status: number): void {
  const { writer } = this;
  this.writer = undefined;
  this.buffer = undefined;
  writer?.written(status);
}
