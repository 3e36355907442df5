/** Of one reply: some thousand replicas, with all that a Sentinel tells of each. */
const MOST_BYTES = 4_000_000;
/** Of all lists of one reply together: a list gets its room before its items are there. */
const MOST_ITEMS = 250_000;
const MOST_LINE_BYTES = 16_384;
const LENGTH = /^-?\d{1,9}$/;
const LF = 10;

/**
 * Follows replies of the Redis protocol, version 2, as they arrive, and finds one that is larger than any Sentinel's. The
 * client library has no limit: it keeps what it has of a reply until the rest is there.
 */
export class ReplyLimit {
  /** Of the present reply. */
  #bytes = 0;
  #items = 0;
  /** Values that are yet to come until the reply is whole. */
  #open = 1;
  /** The line so far, without its end. */
  #line = '';
  /** Bytes of the present text that are yet to come, its end included. */
  #text = 0;

  /** @returns false: this is too large, or no reply; nothing more is to be taken */
  take(chunk: Buffer): boolean {
    for (let offset = 0; offset < chunk.length;) {
      const read = this.#text > 0 ? this.#skip(chunk, offset) : this.#readLine(chunk, offset);
      if (read === undefined) return false;
      offset += read;
      this.#bytes += read;
      if (this.#bytes > MOST_BYTES) return false;
      if (this.#open === 0 && this.#text === 0) this.#begin();
    }
    return true;
  }

  #begin(): void {
    this.#bytes = 0;
    this.#items = 0;
    this.#open = 1;
  }

  #skip(chunk: Buffer, offset: number): number {
    const read = Math.min(this.#text, chunk.length - offset);
    this.#text -= read;
    return read;
  }

  /** @returns undefined: it may not be */
  #readLine(chunk: Buffer, offset: number): number | undefined {
    const found = chunk.indexOf(LF, offset);
    const end = found === -1 ? chunk.length : found + 1;
    this.#line += chunk.toString('latin1', offset, Math.min(end, offset + MOST_LINE_BYTES + 1));
    if (this.#line.length > MOST_LINE_BYTES) return undefined;
    if (found === -1) return end - offset;
    const line = this.#line.trimEnd();
    this.#line = '';
    return this.#judge(line) ? end - offset : undefined;
  }

  #judge(line: string): boolean {
    const [type = '', length] = [line[0], line.slice(1)];
    this.#open -= 1;
    if ('+-:'.includes(type) && type !== '') return true;
    if ((type !== '$' && type !== '*') || !LENGTH.test(length)) return false;
    const count = Math.max(0, Number(length));
    if (type === '$') {
      if (Number(length) >= 0) this.#text = count + 2;
      return count <= MOST_BYTES;
    }
    this.#open += count;
    this.#items += count;
    return this.#items <= MOST_ITEMS;
  }
}
