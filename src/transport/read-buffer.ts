import { Socket } from 'node:net';
import { WRITE_HIGH_WATER_BYTES, type Leg } from './leg.ts';

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

/**
 * The reading side of a socket we open ourselves: Node reads straight into a buffer of ours (`onread` of `net.Socket`),
 * which saves an allocation per read and, for bulk data, every copy.
 *
 * The rule that keeps bytes whole: a buffer is read into again only when nothing that was written from it is still
 * under way. Small reads are copied out of it first; after a large write that the kernel did not take at once, reading
 * stops until `drain`.
 */
export class CandidateReader {
  /** Set as soon as the socket exists. */
  leg: Leg | undefined;
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

  #pass(leg: Leg, size: number): boolean {
    const filled = this.#buffer;
    if (filled !== sharedBuffer && size >= WRITE_HIGH_WATER_BYTES) {
      // At least a high-water mark of bytes: `deliver` answers true only when the kernel took them all.
      return leg.deliver(filled.subarray(0, size));
    }
    const chunk = Buffer.allocUnsafe(size);
    filled.copy(chunk, 0, 0, size);
    if (size >= WRITE_HIGH_WATER_BYTES) this.#takeBulkBuffer();
    else this.#giveBulkBufferBack(true);
    return leg.deliver(chunk);
  }

  /** The socket has closed: nothing is read any more. */
  release(): void {
    // A write from the buffer may still sit in the peer's queue; then the buffer goes to the garbage collector.
    this.#giveBulkBufferBack((this.leg?.peer?.socket.writableLength ?? 0) === 0);
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

function readOn(leg: Leg): void {
  if (!leg.waitsForPeer) leg.socket.resume();
}

/** A socket, not yet connecting and not reading until its leg says so. */
export function candidateSocket(reader: CandidateReader): Socket {
  const socket = new Socket({
    allowHalfOpen: true,
    onread: reader.onread,
    writableHighWaterMark: WRITE_HIGH_WATER_BYTES,
  } as ConstructorParameters<typeof Socket>[0]);
  socket.pause();
  return socket;
}
