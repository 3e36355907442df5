import { Socket } from 'node:net';
import { contained, type Contained } from '../../core/contained.ts';
import {
  giveBulkBuffer,
  hasBulkBuffer,
  takeBulkBuffer,
  NARROW_BYTES,
  WIDE_BYTES,
  type BulkKind,
} from './bulk-buffers.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { streamOptions } from './internals.ts';
import { shareBytes } from './turns.ts';

/** Read into by every connection that is not moving bulk data; what arrives in it is copied before it is written on. */
const sharedBuffer: Buffer = Buffer.allocUnsafeSlow(NARROW_BYTES);
/**
 * The same when there is no buffer to be had for bulk data: what a reader that has stopped was given last is kept for it as
 * long as it stays, so it is less, and still less where there are very many of them.
 */
const sharedShortBuffer = sharedBuffer.subarray(0, WRITE_HIGH_WATER_BYTES);
const sharedScantBuffer = sharedBuffer.subarray(0, WRITE_HIGH_WATER_BYTES / 2);
/** From so many connections on whose peers do not take what they were given. */
const MANY_STALLED = 1_024;
/** More than the kernel keeps for a reader that has stopped: a stream that has moved so much has one that reads. */
const PROVEN_BYTES = 4 * 1024 * 1024;
/** From this share on a wide buffer is worth its memory. */
const WIDE_SHARE_BYTES = WIDE_BYTES / 2;

/** Whose bytes are read: the leg of the socket. */
export interface Receiver extends Contained {
  readonly socket: Socket;
  readonly peer: { readonly unsent: number } | undefined;
  readonly bytesRead: number;
  readonly isWaiting: boolean;
  /** @returns false when reading must stop until it is resumed */
  deliver(chunk: Buffer): boolean;
}

interface Own {
  readonly kind: BulkKind;
  readonly buffer: Buffer;
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
 *
 * Node asks for the next buffer right behind a read, long before anything comes. So a stream that pauses keeps the buffer
 * it was last given. Until a stream has proven that its reader reads, it is read into the shared buffer, and only what it
 * has under way sits in a buffer of its own.
 */
export class SocketReader {
  /** Set by the leg of the socket, before anything is read. */
  leg: Receiver | undefined;
  /** What is read into next. */
  #buffer = sharedShortBuffer;
  /** The buffer of its own, if that is what it is. */
  #own: Own | undefined;
  /** The one before, which may be under way until the next read. */
  #former: Own | undefined;

  /** For `net.Socket`'s `onread`, which calls both without a receiver. */
  readonly onread = {
    buffer: (): Uint8Array => this.#buffer,
    callback: (size: number): boolean => this.#read(size),
  };

  #read(size: number): boolean {
    const { leg } = this;
    if (leg === undefined) return true;
    let goesOn = false;
    try {
      goesOn = this.#pass(leg, size);
    } catch (error) {
      leg.faulted(error);
    }
    if (!goesOn || !leg.socket.writableEnded) return goesOn;
    // Once our end has been sent, nothing can tell a reset that libuv before 1.52 calls an end (see `onEnd` of a leg).
    // It does so only to a socket that goes on reading, so this one stops until libuv has looked.
    setImmediate(readOnLater, leg);
    return false;
  }

  #pass(leg: Receiver, size: number): boolean {
    // It is being read on, so nothing is under way any more.
    this.#giveFormerBack(true);
    const filled = this.#buffer;
    const isFull = size === filled.length;
    if (size < WRITE_HIGH_WATER_BYTES) {
      const chunk = Buffer.allocUnsafe(size);
      filled.copy(chunk, 0, 0, size);
      const goesOn = leg.deliver(chunk);
      this.#use(undefined);
      this.#giveFormerBack(true);
      // A stream that is read 8 KiB at a time may be a fast one.
      if (isFull && leg.peer !== undefined && leg.bytesRead >= PROVEN_BYTES) this.#use(this.#takeFor(leg));
      return goesOn;
    }
    let goesOn: boolean;
    if (this.#own === undefined) {
      // There is nothing to write to before there is a peer.
      const own = leg.peer === undefined ? undefined : this.#takeFor(leg);
      const target = own?.buffer ?? Buffer.allocUnsafe(size);
      filled.copy(target, 0, 0, size);
      // At least a high-water mark of bytes: `deliver` answers true only when the kernel took them all.
      goesOn = leg.deliver(target.subarray(0, size));
      this.#use(own);
      // Only what has proven itself is read into: the next bytes of any other may never come.
      if (own?.kind === 'trial') this.#use(undefined);
    } else {
      goesOn = leg.deliver(filled.subarray(0, size));
      this.#chooseNext();
    }
    if (this.#former !== undefined && leg.peer?.unsent === 0) this.#giveFormerBack(true);
    return goesOn;
  }

  #chooseNext(): void {
    const own = this.#own;
    if (own?.kind === 'wide') {
      // A read is to be no more than a share, and few streams have had the wide ones.
      const most = Math.min(WIDE_BYTES, shareBytes());
      if (this.#buffer.length !== most) this.#buffer = own.buffer.subarray(0, most);
    } else if (own?.kind === 'steady' && shareBytes() >= WIDE_SHARE_BYTES && hasBulkBuffer('wide')) {
      this.#use(takeProven() ?? own);
    }
  }

  /** Everything that was read has been written: what is not read into next is free, however long the next read takes. */
  settled(): void {
    this.#giveFormerBack(true);
  }

  /** The socket has closed: nothing is read any more. */
  release(): void {
    // A write from the buffer may still sit in the peer's queue; then the buffer goes to the garbage collector.
    const isFree = (this.leg?.peer?.unsent ?? 0) === 0;
    this.#giveFormerBack(isFree);
    this.#use(undefined);
    this.#giveFormerBack(isFree);
  }

  #takeFor(leg: Receiver): Own | undefined {
    return leg.bytesRead >= PROVEN_BYTES ? takeProven() : take('trial');
  }

  /** @param next undefined: the shared one */
  #use(next: Own | undefined): void {
    const own = this.#own;
    if (next === undefined) this.#buffer = shared();
    else if (next !== own) this.#buffer = next.buffer;
    if (next === own) return;
    this.#former = own;
    this.#own = next;
  }

  #giveFormerBack(isFree: boolean): void {
    const former = this.#former;
    if (former === undefined) return;
    this.#former = undefined;
    giveBulkBuffer(former.kind, former.buffer, isFree);
  }
}

const readOnLater = contained(readOn);

let stalled = 0;

/** Counts the connections whose peers do not take what they were given. */
export function countStalled(by: 1 | -1): void {
  stalled += by;
}

function shared(): Buffer {
  if (hasBulkBuffer('trial')) return sharedBuffer;
  return stalled < MANY_STALLED ? sharedShortBuffer : sharedScantBuffer;
}

function takeProven(): Own | undefined {
  return (shareBytes() >= WIDE_SHARE_BYTES ? take('wide') : undefined) ?? take('steady');
}

function take(kind: BulkKind): Own | undefined {
  const buffer = takeBulkBuffer(kind);
  return buffer && { kind, buffer };
}

function readOn(leg: Receiver): void {
  if (!leg.isWaiting) leg.socket.resume();
}

/**
 * A socket, not yet connecting and not reading until it is resumed.
 *
 * @param hasReader whether its bytes are read into buffers of ours; else it emits `data`
 */
export function candidateSocket(hasReader: boolean): Socket {
  const options = { allowHalfOpen: true, ...streamOptions(WRITE_HIGH_WATER_BYTES) };
  const reader = hasReader ? new SocketReader() : undefined;
  // Not in the types of Node 20.
  const all: object = reader === undefined ? options : { ...options, onread: reader.onread };
  const socket: ReadSocket = new Socket(all);
  if (reader !== undefined) socket[kReader] = reader;
  socket.pause();
  return socket;
}
