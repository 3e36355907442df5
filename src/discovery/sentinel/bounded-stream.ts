import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ReplyLimit } from './reply-limit.ts';

/** Said of a Sentinel whose reply is none, or has no end. */
export const TOO_LARGE = 'its reply is too large, or none: name Sentinels in DSC, usually at port 26379';

/** A socket to a Sentinel, with what a client library does to one. It ends when a reply is too large to be true. */
export class BoundedStream extends Duplex {
  readonly #socket: Socket;
  readonly #limit = new ReplyLimit();

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    for (const event of ['connect', 'secureConnect']) socket.once(event, () => this.emit(event));
    socket.on('data', (chunk: Buffer) => {
      if (!this.#limit.take(chunk)) this.destroy(new Error(TOO_LARGE));
      else if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    // A TLS socket may tell two errors, of which the first ends this.
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  get connecting(): boolean {
    return this.#socket.connecting;
  }

  setNoDelay(isOn: boolean): void {
    this.#socket.setNoDelay(isOn);
  }

  setKeepAlive(isOn: boolean, delayMs: number): void {
    this.#socket.setKeepAlive(isOn, delayMs);
  }

  setTimeout(ms: number, onTimeout?: () => void): void {
    this.#socket.setTimeout(ms, onTimeout);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  /** Never politely: a handshake would be waited for. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
