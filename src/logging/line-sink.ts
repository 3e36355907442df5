import type { Writable } from 'node:stream';

export interface LineSinkOptions {
  readonly stream: Writable;
  /** The line that tells how many were dropped, with its newline. */
  readonly dropped: (lines: number) => string;
  /** How long a line waits for others to share a write with, ms. Default 10. */
  readonly delayMs?: number;
  /** What may wait for a reader that does not read, in characters. Default 4 Mi, the access lines of some 15,000 connections that end at once. */
  readonly maxPending?: number;
  /** Pause after a failed write before the next try, ms. Default 5000. */
  readonly muteMs?: number;
}

/**
 * Takes log lines and never makes the proxy wait, fail or grow for them: a reader that stalls costs lines, which are
 * counted, and one that is gone (EPIPE) costs nothing. A stalled pipe is why lines are not written synchronously.
 */
export class LineSink {
  readonly #stream: Writable;
  readonly #dropNotice: (lines: number) => string;
  readonly #delayMs: number;
  readonly #maxPending: number;
  readonly #muteMs: number;
  #pending = '';
  #droppedLines = 0;
  #mutedUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LineSinkOptions) {
    this.#stream = options.stream;
    this.#dropNotice = options.dropped;
    this.#delayMs = options.delayMs ?? 10;
    this.#maxPending = options.maxPending ?? 4_194_304;
    this.#muteMs = options.muteMs ?? 5_000;
    // Kept for good: a write may still fail after close(), and an 'error' nobody hears ends the process.
    this.#stream.on('error', () => {
      this.#mutedUntil = performance.now() + this.#muteMs;
    });
  }

  /** @param line with its newline */
  write(line: string): void {
    if (!this.#hasRoom()) {
      this.#droppedLines += 1;
      return;
    }
    this.#tellDropped();
    this.#pending += line;
    this.#timer ??= setTimeout(() => this.flush(), this.#delayMs);
  }

  /** Hands everything to the stream now; the one thing that still works in an 'exit' handler. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === '' || this.#stream.destroyed) return;
    const text = this.#pending;
    this.#pending = '';
    this.#stream.write(text);
  }

  /** Resolves when all lines have left the process, or can not, or `deadlineMs` is over. May be called twice. */
  close(deadlineMs: number): Promise<void> {
    if (this.#hasRoom()) this.#tellDropped();
    this.flush();
    if (this.#stream.destroyed || this.#isMuted()) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs);
      // An empty write is called back once everything before it is out, or has failed.
      this.#stream.write('', () => {
        clearTimeout(deadline);
        resolve();
      });
    });
  }

  #tellDropped(): void {
    if (this.#droppedLines === 0) return;
    this.#pending += this.#dropNotice(this.#droppedLines);
    this.#droppedLines = 0;
  }

  #hasRoom(): boolean {
    return (
      !this.#stream.destroyed &&
      !this.#isMuted() &&
      this.#pending.length + this.#stream.writableLength < this.#maxPending
    );
  }

  #isMuted(): boolean {
    return this.#mutedUntil !== 0 && performance.now() < this.#mutedUntil;
  }
}
