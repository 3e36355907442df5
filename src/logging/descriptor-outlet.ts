import { write, writeSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import type { Outlet } from './outlet.ts';

export interface DescriptorOutletOptions {
  readonly descriptor: number;
  /** Whether a write may wait for the reader: then a thread of Node's pool writes. */
  readonly blocks: boolean;
  readonly isTerminal: boolean;
}

/** What a terminal is given in one go. It has some kB of room, and this process has other things to do. */
const CHUNK_BYTES = 16_384;
/** A terminal says nothing when it has room again, so it is asked: soon, then less and less often. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/** A terminal or a file. */
export function descriptorOutlet({ descriptor, blocks, isTerminal }: DescriptorOutletOptions): Outlet {
  return {
    isTerminal,
    send(text, done) {
      const writing = new Writing(descriptor, Buffer.from(text), done);
      if (blocks) writing.beside();
      else writing.atOnce();
    },
  };
}

/** One text on its way. */
class Writing {
  readonly #descriptor: number;
  readonly #done: (error: Error | undefined) => void;
  #rest: Buffer;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(descriptor: number, bytes: Buffer, done: (error: Error | undefined) => void) {
    this.#descriptor = descriptor;
    this.#rest = bytes;
    this.#done = done;
  }

  /** For a descriptor that does not block: what there is room for now, the rest later. */
  atOnce(): void {
    const again = () => this.atOnce();
    try {
      const written = writeSync(this.#descriptor, this.#rest, 0, Math.min(this.#rest.length, CHUNK_BYTES));
      if (this.#took(written)) setImmediate(again);
    } catch (error) {
      this.#failed(error, again);
    }
  }

  beside(): void {
    const again = () => this.beside();
    write(this.#descriptor, this.#rest, 0, this.#rest.length, null, (error, written) => {
      if (error !== null) this.#failed(error, again);
      else if (this.#took(written)) again();
    });
  }

  /** @returns whether there is more to write */
  #took(written: number): boolean {
    this.#rest = this.#rest.subarray(written);
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#rest.length > 0) return true;
    this.#done(undefined);
    return false;
  }

  /** A file's descriptor, too, can say that it would block: another process that shares it made it non-blocking. */
  #failed(error: unknown, again: () => void): void {
    if (errnoOf(error) !== 'EAGAIN') {
      this.#done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    setTimeout(again, this.#pauseMs);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}
