import type { Socket } from 'node:net';
import { writeDirectly, writeError, type Writer } from './direct-write.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { readerOf, type SocketReader } from './socket-reader.ts';

/** Where the events of a leg go: to whoever is responsible for its socket at that moment. */
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

/** What is below a socket; not documented. */
interface ReadHandle {
  reading?: boolean;
  readStop?: () => number;
}

const kLeg = Symbol('leg');
type LegSocket = Socket & { [kLeg]: Leg };

/**
 * One side of a connection: a socket with its listeners, which are module-level functions that find everything through
 * one field of the socket, so that a connection costs no closure per event. Listeners are on from birth to close;
 * what changes over a connection's life is the owner.
 */
export class Leg implements Writer {
  readonly socket: Socket;
  owner: LegOwner;
  /** The other side, once there is one: where the bytes read here are written. */
  peer: Leg | undefined;
  /** Bytes read from the socket and handed to the peer. */
  bytesRead = 0;
  /** When the last of them came, `performance.now()`. */
  movedAt = 0;
  /** Bytes read while there was no peer yet. */
  earlyBytes = 0;
  /** The socket's sender has finished. */
  ended = false;
  /** That it has finished is not what it said: its connection was cut. */
  truncated = false;
  /** Node has said that the sender has finished; it may have been reset as well. */
  endSeen = false;
  closed = false;
  /** Reading is stopped until the peer has written what it was given. */
  waitsForPeer = false;
  /** What is written to the socket is not what is sent. */
  readonly encrypted: boolean = false;

  readonly #canReset: boolean;
  readonly #reader: SocketReader | undefined;
  #early: Buffer[] = [];
  #isListening = false;
  /** Whether it is written to past the stream of its socket. */
  #isDirect = false;
  /** Bytes of a write past the stream that the kernel has not taken yet. */
  #underWay = 0;
  /** What is to be done once it has. */
  #afterwards: 'end' | 'close' | undefined;
  /** A write past the stream was refused: nothing more is written, and the socket is about to be destroyed for it. */
  #isRefused = false;

  /** @param canReset whether the socket is plain TCP: only that has an RST to send */
  constructor(socket: Socket, owner: LegOwner, canReset: boolean) {
    this.socket = socket;
    this.owner = owner;
    this.#canReset = canReset;
    this.#reader = readerOf(socket);
    if (this.#reader !== undefined) this.#reader.leg = this;
    (socket as LegSocket)[kLeg] = this;
    socket.on('end', onEnd).on('error', onError).on('close', onClose);
  }

  /**
   * Ties two legs: what is read on one is written to the other. Reading begins with {@link Leg.flow}.
   *
   * @param peer the side that was dialed; this one was accepted
   */
  join(peer: Leg): void {
    this.peer = peer;
    peer.peer = this;
    // An accepted socket has a reader only where what Node does not document has been seen to work.
    this.#isDirect = this.#reader !== undefined;
    peer.#isDirect = this.#isDirect && !peer.encrypted;
    this.socket.on('drain', onDrain);
    peer.socket.on('drain', onDrain);
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
    if (!this.waitsForPeer && !this.ended) this.socket.resume();
  }

  /** Hands `chunk` to the peer. The caller must stop reading when this answers false: `drain` goes on. */
  deliver(chunk: Buffer): boolean {
    const peer = this.peer;
    if (peer === undefined) return this.#keep(chunk);
    this.bytesRead += chunk.length;
    this.movedAt = performance.now();
    if (peer.#write(chunk)) return true;
    this.waitsForPeer = true;
    this.owner.legStalled?.(this);
    return false;
  }

  /** Bytes given to the socket that the kernel has not taken yet. */
  get unsent(): number {
    return this.socket.writableLength + this.#underWay;
  }

  /** Sends a FIN behind everything written before. */
  finish(): void {
    // It fails in a moment: an end in between would take the place of its error.
    if (this.#isRefused) return;
    // Once its FIN is asked for, libuv resets no more, though it may not be sent for a long time.
    if (this.#underWay > 0) this.#afterwards ??= 'end';
    // Nothing is left to be read either: closing sends the FIN, in one system call instead of two.
    else if (this.#canReset && this.ended && this.socket.writableLength === 0) this.socket.destroy();
    else this.socket.end();
  }

  /** Closes behind everything written before. */
  closeSoon(): void {
    if (this.#isRefused) return;
    if (this.#underWay > 0) this.#afterwards = 'close';
    else this.socket.destroySoon();
  }

  /** Its end is not the sender's word any more, see {@link Leg.refused}. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /**
   * Whoever refuses what it is sent may have said why, and that can still be read: the socket goes two turns of the event
   * loop later, of which the first may have begun.
   */
  refused(status: number): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    setImmediate(() => setImmediate(() => this.socket.destroy(writeError(status))));
  }

  written(status: number): void {
    this.#underWay = 0;
    if (this.socket.destroyed) return;
    if (status < 0) this.refused(status);
    else if (this.#afterwards === 'end') this.socket.end();
    else if (this.#afterwards === 'close') this.socket.destroySoon();
    if (status === 0) readOn(this);
  }

  /** @returns whether more may be written at once */
  #write(chunk: Buffer): boolean {
    const { socket } = this;
    if (this.#isRefused) return false;
    if (this.#isDirect && this.#underWay === 0 && socket.writableLength === 0) {
      const written = writeDirectly(socket, chunk, this);
      if (written === 'partly') this.#underWay = chunk.length;
      if (written !== 'unable') return written === 'whole';
    }
    // A write that the kernel took whole leaves nothing to wait for, whatever the high-water mark says.
    return socket.write(chunk) || this.unsent === 0;
  }

  /**
   * Asks the kernel whether the socket still stands. One that is not read is not watched either, so that its reset would
   * go unseen for as long as its peer does not take what it sent; an empty write moves nothing and fails on a dead socket.
   */
  probe(): void {
    const { socket } = this;
    // Only TCP tells a reset from an end. With bytes waiting to be written the kernel is watching by itself.
    if (!this.#canReset || socket.destroyed || socket.writableEnded || this.#isRefused || this.unsent > 0) return;
    if (!this.#isDirect || writeDirectly(socket, NOTHING, this) === 'unable') socket.write(NOTHING);
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
    const handle = (socket as unknown as { readonly _handle?: ReadHandle | null })._handle;
    if (!this.#canReset || typeof handle?.readStop !== 'function') return;
    const stop = () => {
      if (socket.destroyed) return;
      handle.reading = false;
      handle.readStop?.();
    };
    process.nextTick(() => process.nextTick(stop));
    setImmediate(() => {
      if (!socket.destroyed) socket._read(0);
    });
  }

  #listen(): void {
    if (this.#reader !== undefined || this.#isListening) return;
    this.#isListening = true;
    this.socket.on('data', onData);
  }

  #keep(chunk: Buffer): boolean {
    this.#early.push(chunk);
    this.earlyBytes += chunk.length;
    return this.earlyBytes < WRITE_HIGH_WATER_BYTES;
  }

  /** Ends the socket at once, by FIN (or by the kernel's own RST when unread bytes are left). */
  destroy(): void {
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

/** A fault that means "the other side went away", as against one of ours or of the network. */
export function isPeerReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code === 'ECONNABORTED';
}

function onData(this: Socket, chunk: Buffer): void {
  const leg = (this as LegSocket)[kLeg];
  if (!leg.deliver(chunk)) this.pause();
  else if (MISTAKES_RESETS && this.writableEnded) leg.lookAgain();
}

function onDrain(this: Socket): void {
  readOn((this as LegSocket)[kLeg]);
}

/** What was given to `leg` is written: its source is read again. */
function readOn(leg: Leg): void {
  const source = leg.peer;
  if (source?.waitsForPeer !== true) return;
  source.waitsForPeer = false;
  source.socket.resume();
}

/**
 * libuv before 1.52 takes a reset that comes with the last bytes for an end (POLLHUP behind a short read). Passed on as
 * an end it would call a cut stream complete, so the kernel is asked first: after an end it has no error, or EPIPE when
 * a reset came behind the end; after a mere reset it has ECONNRESET.
 */
function onEnd(this: Socket): void {
  const leg = (this as LegSocket)[kLeg];
  leg.endSeen = true;
  // Nothing is read any more.
  leg.release();
  // With bytes waiting to be written their failure is the answer, later in this round of the event loop.
  if (leg.unsent > 0) {
    setImmediate(passEnd, leg);
  } else {
    leg.probe();
    passEnd(leg);
  }
}

function passEnd(leg: Leg): void {
  if (!leg.endSeen || leg.ended || leg.isRefused || leg.socket.errored !== null) return;
  leg.ended = true;
  leg.owner.legEnded(leg);
}

function onError(this: Socket, error: NodeJS.ErrnoException): void {
  const leg = (this as LegSocket)[kLeg];
  // A TLS socket that was reset under a write reports the write after its close.
  if (leg.closed) return;
  if (leg.endSeen && error.code !== 'ECONNRESET') leg.ended = true;
  leg.owner.legFailed(leg, error);
}

function onClose(this: Socket): void {
  const leg = (this as LegSocket)[kLeg];
  passEnd(leg);
  leg.closed = true;
  leg.release();
  leg.owner.legClosed(leg);
}
