import { Socket } from 'node:net';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';

/** Read into by every connection that is not moving bulk data; what arrives in it is copied before it is written on. */
const sharedBuffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Size of the buffer a bulk connection reads into and writes from without a copy; the best of 64 to 512 KiB. */
const BULK_BUFFER_BYTES = 256 * 1024;
/** Most bulk buffers at once in the process: past it connections go on with the shared buffer and a copy. */
const MAX_BULK_BUFFERS = 256;
/** Bulk buffers kept for the next bulk connection. */
const MAX_SPARE_BUFFERS = 16;

let bulkBuffersInUse = 0;
const spareBuffers: Buffer[] = [];

/** Whose bytes are read: the leg of the socket. */
export interface Receiver {
  readonly socket: Socket;
  readonly peer: { readonly unsent: number } | undefined;
  readonly waitsForPeer: boolean;
  /** @returns false when reading must stop until it is resumed */
  deliver(chunk: Buffer): boolean;
}

const kReader = Symbol('reader');
type ReadSocket = Socket & { [kReader]?: SocketReader };

/** The reader of a socket that has one: it emits no `data`, its bytes come to its leg by themselves. */
export function readerOf(socket: Socket): SocketReader | undefined {
  return (socket as ReadSocket)[kReader];
}

/**
 * The reading side of a socket that Node reads straight into a buffer of ours (`onread` of `net.Socket`), which saves an
 * allocation per read and, for bulk data, every copy.
 *
 * The rule that keeps bytes whole: a buffer is read into again only when nothing that was written from it is still
 * under way. Small reads are copied out of it first; after a large write that the kernel did not take at once, reading
 * stops until `drain`. TLS has read what it is given when it calls back, and `drain` comes behind that.
 */
export class SocketReader {
  /** Set by the leg of the socket, before anything is read. */
  leg: Receiver | undefined;
  #buffer = sharedBuffer;

  /** For `net.Socket`'s `onread`, which calls both without a receiver. */
  readonly onread = {
    buffer: (): Uint8Array => this.#buffer,
    callback: (size: number): boolean => this.#read(size),
  };

  #read(size: number): boolean {
    const { leg } = this;
    if (leg === undefined) return true;
    const goesOn = this.#pass(leg, size);
    if (!goesOn || !leg.socket.writableEnded) return goesOn;
    // Once our end has been sent, nothing can tell a reset that libuv before 1.52 calls an end (see `onEnd` of a leg).
    // It does so only to a socket that goes on reading, so this one stops until libuv has looked.
    setImmediate(readOn, leg);
    return false;
  }

  #pass(leg: Receiver, size: number): boolean {
    const filled = this.#buffer;
    if (filled !== sharedBuffer && size >= WRITE_HIGH_WATER_BYTES) {
      // At least a high-water mark of bytes: `deliver` answers true only when the kernel took them all.
      return leg.deliver(filled.subarray(0, size));
    }
    const chunk = Buffer.allocUnsafe(size);
    filled.copy(chunk, 0, 0, size);
    // There is nothing to write to before there is a peer.
    if (size >= WRITE_HIGH_WATER_BYTES && leg.peer !== undefined) this.#takeBulkBuffer();
    else this.#giveBulkBufferBack(true);
    return leg.deliver(chunk);
  }

  /** The socket has closed: nothing is read any more. */
  release(): void {
    // A write from the buffer may still sit in the peer's queue; then the buffer goes to the garbage collector.
    this.#giveBulkBufferBack((this.leg?.peer?.unsent ?? 0) === 0);
  }

  #takeBulkBuffer(): void {
    if (this.#buffer !== sharedBuffer || bulkBuffersInUse >= MAX_BULK_BUFFERS) return;
    bulkBuffersInUse += 1;
    this.#buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(BULK_BUFFER_BYTES);
  }

  #giveBulkBufferBack(reusable: boolean): void {
    if (this.#buffer === sharedBuffer) return;
    bulkBuffersInUse -= 1;
    if (reusable && spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(this.#buffer);
    this.#buffer = sharedBuffer;
  }
}

function readOn(leg: Receiver): void {
  if (!leg.waitsForPeer) leg.socket.resume();
}

/**
 * A socket, not yet connecting and not reading until it is resumed.
 *
 * @param hasReader whether its bytes are read into buffers of ours; else it emits `data`
 */
export function candidateSocket(hasReader: boolean): Socket {
  const options = { allowHalfOpen: true, writableHighWaterMark: WRITE_HIGH_WATER_BYTES };
  const socket = hasReader ? socketWithReader(options) : new Socket(options);
  socket.pause();
  return socket;
}

/** @param options what `net.Socket` takes; some of it is not in its types, nor all of it in its documentation */
export function socketWithReader(options: object): Socket {
  const reader = new SocketReader();
  const all: object = { ...options, onread: reader.onread };
  const socket = new Socket(all);
  (socket as ReadSocket)[kReader] = reader;
  return socket;
}
