/** Bytes before the text of a stream: its number. */
export const HEADER_BYTES = 4;

/** A prime, so that no chunk size divides it and a lost or repeated piece shows at once. */
const TAPE_BYTES = 1_048_583;
const STEP = 104_729;

/** What streams are made of: any stream's bytes can be told from its number and their position alone. */
export class Tape {
  readonly #bytes: Buffer;

  constructor(random: () => number) {
    this.#bytes = Buffer.from(Array.from({ length: TAPE_BYTES }, () => Math.floor(random() * 256)));
  }

  /** `size` bytes of a stream from `position` on. */
  read(stream: number, position: number, size: number): Buffer {
    const out = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size && position + filled < HEADER_BYTES) {
      out[filled] = (stream >>> (8 * (position + filled))) & 255;
      filled += 1;
    }
    while (filled < size) {
      const from = (stream * STEP + position + filled) % TAPE_BYTES;
      filled += this.#bytes.copy(out, filled, from, Math.min(TAPE_BYTES, from + size - filled));
    }
    return out;
  }
}
