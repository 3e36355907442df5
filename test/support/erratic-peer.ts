import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextRound, setTimeout as pause } from 'node:timers/promises';
import { errnoOf } from '../../src/core/errors.ts';
import { HEADER_BYTES, type Tape } from './tape.ts';

const MOST_WRITTEN = 1024 * 1024;
const MOST_STEPS = 12;
/** More than the kernel's buffers of both connections take in for a reader that stalls. */
const HEAVY_BYTES = 16 * MOST_WRITTEN;
const HEAVY_SHARE = 0.06;
const LONG_STALL_SHARE = 0.2;

export interface PeerOptions {
  readonly socket: Socket;
  /** Number of the stream it sends. */
  readonly stream: number;
  readonly tape: Tape;
  readonly random: () => number;
  /** Told of everything it does. */
  readonly onStep?: (step: ErraticStep) => void;
}

export type ErraticStep = 'write' | 'flood' | 'stall' | 'wait' | 'end' | 'reset';

/**
 * One end of a connection that does what applications do, in any order: writes of all sizes, with and without waiting
 * for the other side, times of not reading, an early end, a reset. It checks every byte it gets.
 */
export class ErraticPeer {
  readonly stream: number;
  /** The stream it receives, once its header is there. */
  heardFrom: number | undefined;
  sent = 0;
  received = 0;
  ended = false;
  reset = false;
  /** Whether the stream it received came to an end; undefined when Node could not tell that from a reset. */
  sawEnd: boolean | undefined = false;
  /** First byte that was wrong. */
  wrongAt: number | undefined;
  closed = false;
  readonly #socket: Socket;
  readonly #tape: Tape;
  readonly #random: () => number;
  readonly #onStep: (step: ErraticStep) => void;
  readonly #header = Buffer.alloc(HEADER_BYTES);

  constructor(options: PeerOptions) {
    this.#socket = options.socket;
    this.stream = options.stream;
    this.#tape = options.tape;
    this.#random = options.random;
    this.#onStep = options.onStep ?? (() => undefined);
    this.#socket
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#sawEnd())
      .on('error', () => undefined)
      .on('close', () => (this.closed = true));
  }

  /** Does its part; resolves when it has ended or reset its stream, or has lost the connection. */
  async play(): Promise<void> {
    if (this.#random() < HEAVY_SHARE) {
      this.#onStep('flood');
      while (this.sent < HEAVY_BYTES && this.#isUp) this.#write(MOST_WRITTEN);
    }
    const steps = Math.floor(this.#random() * MOST_STEPS);
    for (let step = 0; step < steps && this.#isUp; step += 1) await this.#step();
    if (!this.#isUp) return;
    if (this.#random() < 0.25) {
      this.reset = true;
      this.#onStep('reset');
      this.#socket.resetAndDestroy();
      return;
    }
    if (this.sent === 0) this.#write(HEADER_BYTES);
    this.ended = true;
    this.#onStep('end');
    this.#socket.end();
  }

  get #isUp(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  async #step(): Promise<void> {
    const dice = this.#random();
    this.#onStep(dice < 0.6 ? 'write' : dice < 0.8 ? 'stall' : 'wait');
    if (dice < 0.6) {
      // As many small ones as large ones, up to the largest.
      const isTaken = this.#write(Math.ceil(MOST_WRITTEN ** this.#random()));
      if (!isTaken && this.#random() < 0.7) await this.#drained();
    } else if (dice < 0.8) {
      this.#socket.pause();
      await pause(this.#random() * (this.#random() < LONG_STALL_SHARE ? 400 : 20));
      this.#socket.resume();
    } else if (dice < 0.9) {
      await pause(this.#random() * 10);
    } else {
      await nextRound();
    }
  }

  #write(size: number): boolean {
    const chunk = this.#tape.read(this.stream, this.sent, size);
    this.sent += size;
    return this.#socket.write(chunk);
  }

  async #drained(): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race(['drain', 'close'].map((event) => once(this.#socket, event, { signal })));
    } catch {
      // Its 'error': the connection is lost, which `#isUp` tells.
    } finally {
      over.abort();
    }
  }

  #take(chunk: Buffer): void {
    const start = this.received;
    this.received += chunk.length;
    if (start < HEADER_BYTES) chunk.copy(this.#header, start, 0, HEADER_BYTES - start);
    if (this.received < HEADER_BYTES) return;
    this.heardFrom ??= this.#header.readUInt32LE();
    if (!this.#tape.read(this.heardFrom, start, chunk.length).equals(chunk)) this.wrongAt ??= start;
  }

  #sawEnd(): void {
    const socket = this.#socket;
    const canAsk = socket.writable && socket.writableLength === 0;
    // Before libuv 1.52 a reset may come as an end; an empty write then fails.
    if (canAsk) socket.write(Buffer.alloc(0));
    const isReset = errnoOf(socket.errored) === 'ECONNRESET';
    this.sawEnd = isReset ? false : canAsk || TELLS_RESETS ? true : undefined;
  }
}

const [, minor = 0] = process.versions.uv.split('.').map(Number);
/** libuv 1.52 and later never calls a reset an end. */
export const TELLS_RESETS = minor >= 52;
