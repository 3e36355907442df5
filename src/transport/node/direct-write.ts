import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { containing, type Contained } from '../../core/contained.ts';
import { handleOf, type SocketHandle, type WriteWrap as NodeRequest } from './internals.ts';

/**
 * Writing past the stream of a socket, straight to the handle below it. A stream spends more on a small write than the
 * kernel does, on bookkeeping that a relay does for itself. Not documented: it is used where accepting directly is, and
 * only where the same check has learnt it ({@link learnFrom}). Node 24.22, 26.10 and later write in another way, so
 * that it is off there.
 */
export interface WriteRequest extends NodeRequest {
  /** Told when the write is done. */
  writer?: Writer | undefined;
}

/** Hears of a write that was not done at once. */
export interface Writer extends Contained {
  /** @param status 0, or a negative errno */
  written(status: number): void;
  /** Nothing of a write was taken, and nothing will be of another. @param status a negative errno */
  refused(status: number): void;
}

/** Node's class of requests, which it does not show: it is learnt from a write of Node's own. Undefined: nothing is written directly. */
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
  const request = unusedRequest();
  const handle = handleOf(socket);
  if (request === undefined || typeof handle?.writeBuffer !== 'function' || socket.connecting) return 'unable';
  const status = attempt(handle, request, chunk);
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

/**
 * Learns from the next write of Node's own to `socket` how Node writes. Only for a socket of the check: what Node does is
 * not changed, but it is looked at. Nothing is learnt where Node does not write as known.
 */
export function learnFrom(socket: Socket): void {
  const handle = handleOf(socket);
  const writeBuffer: unknown = handle?.writeBuffer;
  if (handle === undefined || handle === null || typeof writeBuffer !== 'function') return;
  handle.writeBuffer = function (this: unknown, ...args: unknown[]): number {
    // What is below shows again: the method of all handles.
    Reflect.deleteProperty(handle, 'writeBuffer');
    const answer: unknown = Reflect.apply(writeBuffer, this, args);
    if (args.length === 2) Request = classOf(args[0], answer);
    // The answer is for Node, also an unknown one.
    return answer as number;
  };
}

/** From now on nothing is written directly in this process. */
export function unlearn(): void {
  Request = undefined;
  spare = undefined;
}

/** Whether this Node writes as known, as far as the check has seen. */
export function writesAsKnown(): boolean {
  return Request !== undefined;
}

/** The error that Node would report for a write. */
export function writeError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { errno: status, code, syscall: 'write' });
}

function unusedRequest(): WriteRequest | undefined {
  if (Request === undefined) return undefined;
  try {
    return (spare ??= new Request());
  } catch {
    unlearn();
    return undefined;
  }
}

/** @returns 0 or a negative errno: EIO for whatever Node is not known to do, after which nobody can tell what was written */
function attempt(handle: SocketHandle, request: WriteRequest, chunk: Buffer): number {
  try {
    const status: unknown = handle.writeBuffer?.(request, chunk);
    if (Number.isInteger(status) && (status as number) <= 0 && typeof request.getAsyncId?.() === 'number')
      return status as number;
  } catch {
    // As below.
  }
  unlearn();
  return -constants.errno.EIO;
}

/** The class of a request that a write was done with, if both are as known. Called inside a write of Node's: never throws. */
function classOf(request: unknown, answer: unknown): typeof Request {
  if (typeof request !== 'object' || request === null || answer !== 0) return undefined;
  try {
    const { constructor } = request as WriteRequest;
    // Without its id nobody can tell whether a write is done.
    return typeof (request as WriteRequest).getAsyncId?.() === 'number'
      ? (constructor as new () => WriteRequest)
      : undefined;
  } catch {
    return undefined;
  }
}

function onComplete(this: WriteRequest, status: number): void {
  const { writer } = this;
  this.writer = undefined;
  this.buffer = undefined;
  if (writer !== undefined) containing(writer, () => writer.written(status));
}
