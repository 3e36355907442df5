import type { Outlet } from './outlet.ts';

export interface LineSinkOptions {
  readonly outlet: Outlet;
  /** The line that tells how many were dropped, with its newline. */
  readonly dropped: (lines: number) => string;
  /** How long a line waits for others to share a write with, ms. Default 10. */
  readonly delayMs?: number;
  /** What may wait for a reader that does not read, in characters. Default 4 Mi, the access lines of some 15,000 connections that end at once. */
  readonly maxPending?: number;
  /** Pause after a failed write before the next try, ms. Default 5000. */
  readonly muteMs?: number;
}

/** Lines that are written together. */
interface Batch {
  text: string;
  lines: number;
  /** How many dropped lines its notices tell of. */
  told: number;
}

/** What one write takes: a pipe's room, so that a reader that reads shows. */
const BATCH_LENGTH = 65_536;

/**
 * Takes log lines and never makes the proxy wait, fail or grow for them: a reader that stalls costs lines, which are
 * counted and told once it reads again, and one that is gone (EPIPE) costs nothing.
 */
export class LineSink {
  readonly #outlet: Outlet;
  readonly #dropNotice: (lines: number) => string;
  readonly #delayMs: number;
  readonly #maxPending: number;
  readonly #muteMs: number;
  readonly #waiting: Batch[] = [];
  #sending: Batch | undefined;
  /** Characters that wait or are being sent. */
  #pending = 0;
  /** No line is taken until half of what waits has gone, or a reader at its limit would read of nothing but dropped lines. */
  #isFull = false;
  /** Not told yet. */
  #dropped = 0;
  #droppedInAll = 0;
  #mutedUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Told of each batch that has gone. */
  readonly #closing = new Set<() => void>();

  constructor(options: LineSinkOptions) {
    this.#outlet = options.outlet;
    this.#dropNotice = options.dropped;
    this.#delayMs = options.delayMs ?? 10;
    this.#maxPending = options.maxPending ?? 4_194_304;
    this.#muteMs = options.muteMs ?? 5_000;
  }

  /** Lines that nobody will read, since the start. */
  get droppedLines(): number {
    return this.#droppedInAll;
  }

  /** @param line with its newline */
  write(line: string): void {
    if (!this.#hasRoom()) {
      this.#drop(1);
      return;
    }
    this.#tellDropped();
    this.#add(line, { lines: 1, told: 0 });
    this.#timer ??= setTimeout(() => this.#sendNext(), this.#delayMs);
  }

  /** Hands over everything at once; the one thing that still works in an 'exit' handler. */
  flush(): void {
    const [first, ...others] = this.#waiting.splice(0);
    if (first === undefined) return;
    for (const { text, lines, told } of others) {
      first.text += text;
      first.lines += lines;
      first.told += told;
    }
    this.#waiting.push(first);
    this.#sendNext();
  }

  /** Resolves when all lines have left the process, or cannot, or none has for `stallMs`. May be called twice. */
  close(stallMs: number): Promise<void> {
    if (this.#hasRoom()) this.#tellDropped();
    this.#sendNext();
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(stalled);
        this.#closing.delete(look);
        resolve();
      };
      const stalled = setTimeout(end, stallMs);
      const look = () => {
        if (this.#pending === 0) end();
        else stalled.refresh();
      };
      this.#closing.add(look);
    });
  }

  #add(text: string, counts: Pick<Batch, 'lines' | 'told'>): void {
    let last = this.#waiting.at(-1);
    if (last === undefined || last.text.length >= BATCH_LENGTH) {
      last = { text: '', lines: 0, told: 0 };
      this.#waiting.push(last);
    }
    last.text += text;
    last.lines += counts.lines;
    last.told += counts.told;
    this.#pending += text.length;
  }

  #sendNext(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== undefined) return;
    const batch = this.#waiting.shift();
    if (batch === undefined) return;
    this.#sending = batch;
    this.#outlet.send(batch.text, (error) => {
      this.#sending = undefined;
      this.#pending -= batch.text.length;
      if (error !== undefined) this.#failed(batch);
      else if (this.#dropped > 0 && this.#hasRoom()) this.#tellDropped();
      this.#sendNext();
      for (const look of this.#closing) look();
    });
  }

  /** What waits would fail like this, or be kept for a reader that never comes back. */
  #failed(batch: Batch): void {
    this.#mutedUntil = performance.now() + this.#muteMs;
    this.#pending = 0;
    for (const { lines, told } of [batch, ...this.#waiting.splice(0)]) {
      this.#drop(lines);
      this.#dropped += told;
    }
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#droppedInAll += lines;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#add(this.#dropNotice(this.#dropped), { lines: 0, told: this.#dropped });
    this.#dropped = 0;
  }

  #hasRoom(): boolean {
    if (this.#mutedUntil !== 0 && performance.now() < this.#mutedUntil) return false;
    this.#isFull = this.#pending >= (this.#isFull ? this.#maxPending / 2 : this.#maxPending);
    return !this.#isFull;
  }
}
