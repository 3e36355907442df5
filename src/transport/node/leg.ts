import type { Socket } from 'node:net';
import { contained, type Contained } from '../../core/contained.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { readHandleAgain, stopHandle } from './internals.ts';
import type { Reads } from './leg-state.ts';
import { countStalled, readerOf, type SocketReader } from './socket-reader.ts';
import type { StreamEnd } from './tls-end.ts';
import { mayReadOn, waitForTurn, type TurnTaker } from './turns.ts';

/** Where the events of a leg go: to the owner of its socket at that moment. */
export interface LegOwner {
  /** The socket's sender has finished (FIN read, and every byte before it delivered). */
  legEnded(leg: Leg): void;
  /** The socket failed; it closes by itself, `legClosed` follows. */
  legFailed(leg: Leg, error: NodeJS.ErrnoException): void;
  /** The socket is gone. Called exactly once. */
  legClosed(leg: Leg): void;
  /** The socket is not read any more for the time being, so that its end or reset would not be seen by itself. */
  legStalled?(leg: Leg): void;
}

const NOTHING = Buffer.alloc(0);
/** libuv before 1.52 calls a reset an end where the socket's own end has been sent. */
const MISTAKES_RESETS = isBefore(process.versions.uv, 1, 52);

const kLeg = Symbol('leg');
type LegSocket = Socket & { [kLeg]: Leg };

/** What Node calls. */
const heard = {
  data: safely(onData),
  drain: safely(onDrain),
  end: safely(onEnd),
  error: safely(onError),
  close: safely(onClose),
};
const passEndLater = contained(passEnd);

/**
 * One side of a connection: a socket with its listeners, which are module-level functions that find everything through
 * one field of the socket, so that a connection costs no closure per event. Listeners are on from birth to close;
 * what changes over a connection's life is the owner.
 */
export class Leg implements TurnTaker {
  readonly socket: Socket;
  owner: LegOwner;
  /** What an error ends that escapes from something done for this leg; undefined: the process. */
  connection: Contained | undefined;
  /** The other side, once there is one: where the bytes read here are written. */
  peer: Leg | undefined;
  /** Who takes what is read while there is no peer, and answers whether to read on; undefined: it is kept for the peer. */
  keeper: ((chunk: Buffer) => boolean) | undefined;
  /** Bytes read from the socket and handed to the peer. */
  bytesRead = 0;
  /** When the last of them came, `performance.now()`. */
  movedAt = 0;
  /** How TLS has found its stream to end, before the socket emits `end`. */
  streamEnd: StreamEnd | undefined;
  /** Bytes read while there was no peer yet. */
  earlyBytes = 0;
  /** Reading is stopped until the peer has written what it was given. */
  waitsForPeer = false;
  /** Reading is stopped until its turn comes. */
  #waitsForTurn = false;
  /** Bytes read since its last turn. */
  #spent = 0;
  /** An unclean end is taken for a stream that was cut. */
  readonly strictClose: boolean = false;

  readonly #canReset: boolean;
  readonly #reader: SocketReader | undefined;
  #early: Buffer[] = [];
  #taken = 0;
  /** Bytes of the peer that were given to this socket and not refused at once. */
  #given = 0;
  #isListening = false;
  #reads: Reads = 'open';
  #isClosed = false;

  /** @param canReset whether the socket is plain TCP: only that has an RST to send */
  constructor(socket: Socket, owner: LegOwner, canReset: boolean) {
    this.socket = socket;
    this.owner = owner;
    this.#canReset = canReset;
    this.#reader = readerOf(socket);
    if (this.#reader !== undefined) this.#reader.leg = this;
    (socket as LegSocket)[kLeg] = this;
    socket.on('end', heard.end).on('error', heard.error).on('close', heard.close);
  }

  /**
   * Ties two legs: what is read on one is written to the other. Reading begins with {@link Leg.flow}.
   */
  join(peer: Leg): void {
    this.peer = peer;
    peer.peer = this;
    this.socket.on('drain', heard.drain);
    peer.socket.on('drain', heard.drain);
  }

  /**
   * Starts reading into memory without consuming, so that the end of a client is noticed while its candidate is still
   * being dialed. Node stops by itself at one read over the high-water mark; nothing is lost.
   */
  peek(): void {
    this.socket.read(0);
  }

  /**
   * Starts reading into memory, a bounded number of bytes, so that the end of a client is noticed while there is nobody
   * yet to give its bytes to. {@link Leg.flow} goes on from there.
   */
  collect(): void {
    this.#listen();
    this.socket.resume();
  }

  /** Starts the flow to the peer, after {@link Leg.collect} or without. */
  flow(): void {
    this.#listen();
    const early = this.#early;
    this.#early = [];
    this.earlyBytes = 0;
    for (const chunk of early) this.deliver(chunk);
    if (!this.isWaiting && !this.ended) this.socket.resume();
  }

  faulted(error: unknown): void {
    if (this.connection === undefined) throw error;
    this.connection.faulted(error);
  }

  /** What its socket brings. */
  get reads(): Reads {
    return this.#reads;
  }

  /** The socket's sender has finished, and the owner has been told or is about to be. */
  get ended(): boolean {
    const reads = this.#reads;
    return reads === 'ended' || reads === 'truncated' || reads === 'closed';
  }

  /** The socket is gone. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** Whether the end of its stream is one without close_notify. */
  get unclean(): boolean {
    return this.streamEnd === 'bare';
  }

  /** Reading is stopped, and will be resumed. */
  get isWaiting(): boolean {
    return this.waitsForPeer || this.#waitsForTurn;
  }

  turnCame(): void {
    this.#waitsForTurn = false;
    this.#spent = 0;
    if (!this.waitsForPeer && !this.socket.destroyed) this.socket.resume();
  }

  /** Hands `chunk` to the peer. The caller must stop reading when this answers false: `drain`, or its turn, goes on. */
  deliver(chunk: Buffer): boolean {
    const peer = this.peer;
    if (peer === undefined) return this.#keep(chunk);
    this.bytesRead += chunk.length;
    this.movedAt = performance.now();
    this.#spent += chunk.length;
    if (peer.#write(chunk)) return this.#mayReadOn(chunk.length);
    if (!this.waitsForPeer) countStalled(1);
    this.waitsForPeer = true;
    this.owner.legStalled?.(this);
    return false;
  }

  /**
   * Bytes of the peer that the kernel has taken from this socket, as far as has been seen; once it has closed, all that the
   * kernel may have taken. It never falls.
   */
  get taken(): number {
    this.noteTaken();
    return this.#taken;
  }

  /** For when the queue of the socket has changed, or is about to be lost. */
  noteTaken(): void {
    const { peer, socket } = this;
    if (peer === undefined) return;
    if (socket.writableFinished) this.#taken = peer.bytesRead;
    // The queue of a destroyed socket is empty, and nobody has taken its bytes.
    else if (!socket.destroyed) this.#taken = Math.max(this.#taken, peer.bytesRead - this.unsent);
  }

  /** The peer has written what it was given. */
  peerDrained(): void {
    if (!this.waitsForPeer) return;
    this.waitsForPeer = false;
    countStalled(-1);
    this.#reader?.settled();
    if (this.#mayReadOn(0)) this.socket.resume();
  }

  /** @returns false: it is not to read before its turn */
  #mayReadOn(read: number): boolean {
    if (this.#waitsForTurn) return false;
    if (mayReadOn(read, this.#spent)) return true;
    this.#waitsForTurn = true;
    waitForTurn(this);
    return false;
  }

  /** Bytes given to the socket that the kernel has not taken yet. */
  get unsent(): number {
    return this.socket.writableLength;
  }

  /** Sends a FIN behind everything written before. */
  finish(): void {
    // Once its FIN is asked for, libuv resets no more, though it may not be sent for a long time.
    this.noteTaken();
    // Nothing is left to be read either: closing sends the FIN, in one system call instead of two.
    if (this.#canReset && this.ended && this.socket.writableLength === 0) this.socket.destroy();
    else this.socket.end();
  }

  /** Closes behind everything written before. */
  closeSoon(): void {
    if (!this.#isClosed) this.socket.destroySoon();
  }

  /** An error of the socket is on its way, which says more than its end. */
  get hasFailed(): boolean {
    return this.socket.errored !== null;
  }

  /** @returns whether more may be written at once */
  #write(chunk: Buffer): boolean {
    const { socket } = this;
    // A write that the kernel took whole leaves nothing to wait for, whatever the high-water mark says.
    const goesOn = socket.write(chunk) || this.unsent === 0;
    if (socket.errored === null) this.#given = this.peer?.bytesRead ?? 0;
    this.noteTaken();
    return goesOn;
  }

  /**
   * Asks the kernel whether the socket still stands. One that is not read is not watched either, so that its reset would
   * go unseen for as long as its peer does not take what it sent; an empty write moves nothing and fails on a dead socket.
   */
  probe(): void {
    const { socket } = this;
    // Only TCP tells a reset from an end. With bytes waiting to be written the kernel is watching by itself.
    if (!this.#canReset || socket.destroyed || socket.writableEnded) return;
    if (this.unsent === 0) socket.write(NOTHING);
  }

  /**
   * Has the kernel ask now and then whether the peer is still there, from `keepAliveMs` of silence on; 0: it does not.
   * For plain TCP.
   */
  keepAlive(keepAliveMs: number): void {
    if (this.#canReset && keepAliveMs > 0) this.socket.setKeepAlive(true, keepAliveDelayMs(keepAliveMs));
  }

  /** Ends the socket at once by RST, so that a cut stream cannot be taken for a finished one. FIN where RST cannot be. */
  reset(): void {
    if (this.closed) return;
    this.noteTaken();
    // On anything but a plain TCP socket Node throws, and the peer of a Unix socket has no RST to see. Once the FIN is
    // on its way libuv refuses to reset (EINVAL), and Node then never closes the handle.
    const finSent = this.socket.writableEnded && this.unsent === 0;
    if (this.#canReset && !finSent) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** The socket is not read any more: what it was read into is free. */
  release(): void {
    this.#reader?.release();
  }

  /**
   * Stops reading until libuv has looked whether the end that it may see next is a reset ({@link MISTAKES_RESETS}), which it
   * does only to a socket that is not read. Bytes that come by `data` have been read ahead of it by two ticks.
   */
  lookAgain(): void {
    const { socket } = this;
    if (!this.#canReset) return;
    process.nextTick(() => process.nextTick(stopHandle, socket));
    setImmediate(readHandleAgain, socket);
  }

  /** Node has said that the sender has finished. */
  endSeen(): void {
    if (this.#reads === 'open') this.#reads = 'ending';
  }

  /** Tells the owner of an end that has been seen, unless an error says more. */
  passEnd(): void {
    if (this.#reads !== 'ending' || this.hasFailed) return;
    this.#end();
    this.owner.legEnded(this);
  }

  /** A socket that fails in another way than by a reset, behind its end, had ended. */
  failed(error: NodeJS.ErrnoException): void {
    if (this.#reads === 'ending' && error.code !== 'ECONNRESET') this.#end();
    this.owner.legFailed(this, error);
  }

  /** The socket is gone. */
  gone(): void {
    this.passEnd();
    // The kernel may have taken any part of a write that was cut short.
    this.#taken = Math.max(this.#taken, this.#given);
    this.#reads = this.ended ? 'closed' : 'cut';
    this.#isClosed = true;
    if (this.waitsForPeer) countStalled(-1);
    this.waitsForPeer = false;
    this.release();
    this.owner.legClosed(this);
  }

  #end(): void {
    this.#reads = this.unclean ? 'truncated' : 'ended';
  }

  #listen(): void {
    if (this.#reader !== undefined || this.#isListening) return;
    this.#isListening = true;
    this.socket.on('data', heard.data);
  }

  #keep(chunk: Buffer): boolean {
    if (this.keeper !== undefined) return this.keeper(chunk);
    this.#early.push(chunk);
    this.earlyBytes += chunk.length;
    return this.earlyBytes < WRITE_HIGH_WATER_BYTES;
  }

  /** Ends the socket at once, by FIN (or by the kernel's own RST when unread bytes are left). */
  destroy(): void {
    this.noteTaken();
    if (!this.closed) this.socket.destroy();
  }

  /** Ends the socket as one whose stream is whole; only for when nothing is under way to it. */
  close(): void {
    this.destroy();
  }
}

/**
 * The delay to give to Node for a keep-alive of `keepAliveMs`: it drops what is not a whole second, and takes 0 for the
 * system's default of two hours.
 */
export function keepAliveDelayMs(keepAliveMs: number): number {
  return Math.ceil(keepAliveMs / 1_000) * 1_000;
}

function isBefore(version: string, major: number, minor: number): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

function safely<A>(listener: (this: Socket, argument: A) => void): (this: Socket, argument: A) => void {
  return function (this: Socket, argument: A): void {
    try {
      listener.call(this, argument);
    } catch (error) {
      (this as LegSocket)[kLeg].faulted(error);
    }
  };
}

function onData(this: Socket, chunk: Buffer): void {
  const leg = (this as LegSocket)[kLeg];
  if (!leg.deliver(chunk)) this.pause();
  else if (MISTAKES_RESETS && this.writableEnded) leg.lookAgain();
}

function onDrain(this: Socket): void {
  const leg = (this as LegSocket)[kLeg];
  leg.noteTaken();
  readOn(leg);
}

/** What was given to `leg` is written: its source is read again. */
function readOn(leg: Leg): void {
  leg.peer?.peerDrained();
}

/**
 * libuv before 1.52 takes a reset that comes with the last bytes for an end (POLLHUP behind a short read). Passed on as
 * an end it would call a cut stream complete, so the kernel is asked first: after an end it has no error, or EPIPE when
 * a reset came behind the end; after a mere reset it has ECONNRESET.
 */
function onEnd(this: Socket): void {
  const leg = (this as LegSocket)[kLeg];
  leg.endSeen();
  // Nothing is read any more.
  leg.release();
  // With bytes waiting to be written their failure is the answer, later in this round of the event loop.
  if (leg.unsent > 0) {
    setImmediate(passEndLater, leg);
  } else {
    leg.probe();
    leg.passEnd();
  }
}

function passEnd(leg: Leg): void {
  leg.passEnd();
}

function onError(this: Socket, error: NodeJS.ErrnoException): void {
  const leg = (this as LegSocket)[kLeg];
  // A TLS socket that was reset under a write reports the write after its close.
  if (!leg.closed) leg.failed(error);
}

function onClose(this: Socket): void {
  (this as LegSocket)[kLeg].gone();
}
