/** `native/engine.h`, enum live_flag. */
export const LIVE = { waits: 1, ended: 2, finished: 4, closed: 8, watchTold: 16, unclean: 32 } as const;

/** An end has 32 bytes: two doubles, then words of 32 bits. */
const DOUBLES = 4;
const WORDS = 8;
const FLAGS_AT = 4;
const EARLY_AT = 5;

/** What the thread counts of each end, to be read at any time. */
export class Live {
  readonly #doubles: Float64Array;
  readonly #words: Int32Array;

  constructor(memory: ArrayBuffer) {
    this.#doubles = new Float64Array(memory);
    this.#words = new Int32Array(memory);
  }

  /** Bytes that the kernel has taken to send them to this end. */
  taken(slot: number): number {
    return this.#doubles[slot * DOUBLES] ?? 0;
  }

  /** When its last byte came, on the thread's clock. */
  movedAt(slot: number): number {
    return this.#doubles[slot * DOUBLES + 1] ?? 0;
  }

  /** Bits of {@link LIVE}. */
  flags(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + FLAGS_AT);
  }

  /** Bytes that are kept because nobody carries them yet. */
  early(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + EARLY_AT);
  }

  /** The thread is to tell again when the relay of this client has to be watched. */
  forgetWatch(slot: number): void {
    Atomics.and(this.#words, slot * WORDS + FLAGS_AT, ~LIVE.watchTold);
  }
}
