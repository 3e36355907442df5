import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What is known of the bytes below. */
export interface EndWatch {
  /** Bytes that were read until now are accounted for: a handshake, a session ticket. */
  mark(): void;
}

/** The smallest record an alert fits in: TLS 1.2 with ChaCha20-Poly1305. */
const MIN_ALERT_BYTES = 23;
/** Least that a record is longer than what it carries: TLS 1.2 with ChaCha20-Poly1305. */
const MIN_RECORD_OVERHEAD_BYTES = 21;
/** The largest, with room to spare: CBC with SHA-384, or a key update before it. */
const MAX_ALERT_BYTES = 128;

const kWatch = Symbol('end watch');
type WatchedSocket = TLSSocket & { [kWatch]: Watch };

export interface WatchEndOptions {
  /** Told of a cut before its socket emits `end`. */
  readonly leg: { truncated: boolean };
  readonly socket: TLSSocket;
  /** The socket below. */
  readonly raw: Socket;
}

/**
 * Tells how the stream of a TLS peer ended: by close_notify, or by a FIN of TCP alone. Node reports both as `end`.
 *
 * What tells them apart is that a close_notify is bytes on the socket below that bring no plain text, or that come in one
 * read with the last of it, whereas a FIN is read by itself. Where both can be, the stream is taken for whole: a reset of
 * one that is would lose its last bytes. So a cut is not noticed when it leaves as many bytes of a record behind as a
 * close_notify has, nor right behind a read that brought several records or a session ticket.
 */
export function watchEnd({ leg, socket, raw }: WatchEndOptions): EndWatch {
  const watch = new Watch(leg, raw);
  (socket as WatchedSocket)[kWatch] = watch;
  // Called in the very read that brings the bytes, or the end; events may be as late as their reader is.
  socket.push = watchedPush;
  socket.on('session', onSession);
  return watch;
}

class Watch implements EndWatch {
  readonly #leg: WatchEndOptions['leg'];
  readonly #raw: Socket;
  /** Bytes below up to and including the last read that is accounted for, and before it. */
  #bytes = 0;
  #bytesBefore = 0;
  /** Plain text that this read has brought so far. */
  #plain = 0;
  /** What else was in this read: the overhead of its records, and whatever came behind them. */
  #spare = 0;
  #turn = -1;

  constructor(leg: WatchEndOptions['leg'], raw: Socket) {
    this.#leg = leg;
    this.#raw = raw;
    this.mark();
  }

  mark(): void {
    this.#account();
    this.#spare = 0;
  }

  /** @param plain bytes of plain text; 0 for a session ticket */
  carried(plain: number): void {
    this.#account();
    this.#plain += plain;
    this.#spare = this.#bytes - this.#bytesBefore - this.#plain;
  }

  ended(): void {
    const unexplained = this.#raw.bytesRead - this.#bytes;
    const isClean =
      unexplained === 0
        ? this.#turn === currentTurn() || this.#spare >= MIN_RECORD_OVERHEAD_BYTES + MIN_ALERT_BYTES
        : unexplained >= MIN_ALERT_BYTES && unexplained <= MAX_ALERT_BYTES;
    this.#leg.truncated = !isClean;
  }

  #account(): void {
    this.#turn = currentTurn();
    if (this.#raw.bytesRead === this.#bytes) return;
    this.#bytesBefore = this.#bytes;
    this.#bytes = this.#raw.bytesRead;
    this.#plain = 0;
  }
}

/** Node's own `push` is on the prototype. */
function watchedPush(this: TLSSocket, chunk: unknown, encoding?: BufferEncoding): boolean {
  const watch = (this as WatchedSocket)[kWatch];
  if (chunk === null) watch.ended();
  else watch.carried((chunk as Buffer).length);
  return (Object.getPrototypeOf(this) as TLSSocket).push.call(this, chunk, encoding);
}

function onSession(this: TLSSocket): void {
  (this as WatchedSocket)[kWatch].carried(0);
}

let turn = 0;
let isTurning = false;

/** A number that every turn of the event loop has for itself. */
function currentTurn(): number {
  if (!isTurning) {
    isTurning = true;
    setImmediate(nextTurn);
  }
  return turn;
}

function nextTurn(): void {
  isTurning = false;
  turn += 1;
}
