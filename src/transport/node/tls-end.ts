import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { hearPush, pushOn } from './internals.ts';
import { recordSizesOf, type RecordSizes } from './tls-record-sizes.ts';

/** How the stream of a TLS peer ended. */
export type StreamEnd =
  /** By a close_notify. */
  | 'notified'
  /** Taken for the same, though bytes are left that are no close_notify as far as can be told. */
  | 'doubtful'
  /** By a FIN of TCP alone. */
  | 'bare';

/** What is known of the bytes below. */
export interface EndWatch {
  /** The handshake is done: bytes that were read until now are accounted for. */
  mark(): void;
}

/** The smallest record an alert fits in: TLS 1.2 with ChaCha20-Poly1305. */
const MIN_ALERT_BYTES = 23;
/** The largest, with room to spare: CBC with SHA-384, or a key update before it. */
const MAX_ALERT_BYTES = 128;

const kWatch = Symbol('end watch');
type WatchedSocket = TLSSocket & { [kWatch]: Watch };

export interface WatchEndOptions {
  /** Told how it ended before its socket emits `end`. */
  readonly leg: { streamEnd: StreamEnd | undefined };
  readonly socket: TLSSocket;
  /** The socket below. */
  readonly raw: Socket;
}

/**
 * Tells how the stream of a TLS peer ended: by close_notify, or by a FIN of TCP alone. Node reports both as `end`.
 *
 * What tells them apart is the bytes below: each record has as much more than its plain text as the cipher adds, and
 * Node hands over one record at a time, so that what is left over is the close_notify, or nothing. A close_notify ends the stream
 * in the turn of the event loop that reads it; a FIN by itself has no bytes. Where that says nothing (right behind a
 * handshake or a session ticket, and with CBC) the stream is taken for whole: a reset of one that is would lose its last bytes.
 */
export function watchEnd({ leg, socket, raw }: WatchEndOptions): EndWatch {
  const watch = new Watch(leg, socket, raw);
  (socket as WatchedSocket)[kWatch] = watch;
  hearPush(socket, watchedPush);
  socket.on('session', onSession);
  return watch;
}

class Watch implements EndWatch {
  readonly #leg: WatchEndOptions['leg'];
  readonly #socket: TLSSocket;
  readonly #raw: Socket;
  #sizes: RecordSizes | undefined;
  /** Bytes below up to and including the last read that brought something. */
  #bytes = 0;
  /** Those of them that are known to be no close_notify. */
  #explained = 0;
  /** That read brought bytes of a size that nobody knows as well: the end of a handshake, a session ticket. */
  #isMixed = false;
  #turn = -1;

  constructor(leg: WatchEndOptions['leg'], socket: TLSSocket, raw: Socket) {
    this.#leg = leg;
    this.#socket = socket;
    this.#raw = raw;
    this.#mix();
  }

  mark(): void {
    this.#sizes = recordSizesOf(this.#socket.getCipher());
    this.#mix();
  }

  /** @param plain bytes of plain text: of one record */
  carried(plain: number): void {
    this.#account();
    this.#explained += plain + (this.#sizes?.overhead ?? 0);
  }

  ticket(): void {
    this.#mix();
  }

  ended(): void {
    const alone = this.#raw.bytesRead - this.#bytes;
    const wasThisTurn = this.#turn === currentTurn();
    const wasMixed = this.#isMixed && alone === 0;
    this.#account();
    this.#leg.streamEnd = this.#judge({ alone, wasThisTurn, wasMixed });
  }

  #judge(last: { readonly alone: number; readonly wasThisTurn: boolean; readonly wasMixed: boolean }): StreamEnd {
    const { alone, wasThisTurn, wasMixed } = last;
    if (alone === 0 && !wasThisTurn) return 'bare';
    const left = this.#bytes - this.#explained;
    const sizes = this.#sizes;
    const isAlert = alone === 0 || (alone >= MIN_ALERT_BYTES && alone <= MAX_ALERT_BYTES);
    if (sizes !== undefined && !wasMixed) {
      if (left === 0) return 'bare';
      if (left === sizes.alert) return 'notified';
      const before = left - sizes.alert;
      // Key updates before it, of which there may be many; or a record that was cut at one of very many places.
      if (before > 0 && sizes.keyUpdate !== undefined && before % sizes.keyUpdate === 0) return 'doubtful';
      // A record that was cut, or one that was padded.
      return isAlert ? 'doubtful' : 'bare';
    }
    return isAlert ? 'notified' : 'bare';
  }

  #mix(): void {
    this.#account();
    this.#isMixed = true;
  }

  #account(): void {
    this.#turn = currentTurn();
    const { bytesRead } = this.#raw;
    if (bytesRead === this.#bytes) return;
    if (this.#isMixed || this.#explained > this.#bytes) this.#explained = this.#bytes;
    this.#isMixed = false;
    this.#bytes = bytesRead;
  }
}

function watchedPush(this: TLSSocket, chunk: unknown, encoding?: BufferEncoding): boolean {
  const watch = (this as WatchedSocket)[kWatch];
  if (chunk === null) watch.ended();
  else watch.carried((chunk as Buffer).length);
  return pushOn(this, chunk, encoding);
}

function onSession(this: TLSSocket): void {
  (this as WatchedSocket)[kWatch].ticket();
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
