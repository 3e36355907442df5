import type { NativeAddon } from './bindings.ts';

/** `native/commands.h`. */
const COMMAND = {
  listen: 1,
  unlisten: 2,
  collect: 3,
  ask: 4,
  take: 5,
  close: 6,
  dial: 7,
  relay: 8,
  abort: 9,
  keepAlive: 10,
  probe: 11,
  forget: 12,
  room: 13,
  hello: 14,
} as const;

/** The name of an end. */
export interface EndName {
  readonly slot: number;
  readonly generation: number;
}

export interface DialCommand extends EndName {
  readonly timeoutMs: number;
  readonly address: Buffer;
  readonly preface: Buffer | undefined;
  /** The thread tells from which address it connects. */
  readonly isHome: boolean;
}

const ROOM_WORDS = 16 * 1024;
const MOST_MS = 2 ** 31;

/** What the thread is told, gathered into batches: those of one tick, or of one reading of records, go in one call. */
export class Commands {
  readonly #addon: NativeAddon;
  readonly #words = new Uint32Array(ROOM_WORDS);
  readonly #bytes = Buffer.from(this.#words.buffer);
  readonly #flushLater = (): void => {
    this.#isFlushDue = false;
    this.flush();
  };
  #count = 0;
  #isFlushDue = false;
  /** The caller that gathers commands hands them over at the end. */
  isGathering = false;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
  }

  listen(options: {
    readonly id: number;
    readonly descriptor: number;
    readonly isTcp: boolean;
    readonly isWild: boolean;
  }): void {
    const { id, descriptor, isTcp, isWild } = options;
    this.#put(COMMAND.listen, id, descriptor, Number(isTcp), Number(isWild));
  }

  unlisten(id: number): void {
    this.#put(COMMAND.unlisten, id);
  }

  collect({ slot, generation }: EndName): void {
    this.#put(COMMAND.collect, slot, generation);
  }

  /** @param most bytes that are lent, at most */
  ask({ slot, generation }: EndName, most: number): void {
    this.#put(COMMAND.ask, slot, generation, most);
  }

  /** @param bytes of what was lent that are not to be carried */
  take({ slot, generation }: EndName, bytes: number): void {
    this.#put(COMMAND.take, slot, generation, bytes);
  }

  close({ slot, generation }: EndName, reset: boolean): void {
    this.#put(COMMAND.close, slot, generation, Number(reset));
  }

  dial({ slot, generation, timeoutMs, address, preface, isHome }: DialCommand): void {
    const prefaceBytes = preface?.length ?? 0;
    const words = 8 + wordsOf(address.length) + wordsOf(prefaceBytes);
    const ms = Math.min(MOST_MS, Math.max(1, Math.ceil(timeoutMs)));
    let at = this.#begin(COMMAND.dial, words);
    const fixed = [slot, generation, ms, address.length, prefaceBytes, Number(isHome)];
    for (const word of fixed) this.#words[at++] = word;
    address.copy(this.#bytes, at * 4);
    preface?.copy(this.#bytes, (at + wordsOf(address.length)) * 4);
    this.#flushSoon();
  }

  relay(client: EndName, candidate: EndName): void {
    this.#put(COMMAND.relay, client.slot, client.generation, candidate.slot, candidate.generation);
  }

  abort({ slot, generation }: EndName, gently: boolean): void {
    this.#put(COMMAND.abort, slot, generation, Number(gently));
  }

  keepAlive({ slot, generation }: EndName, keepAliveMs: number): void {
    this.#put(COMMAND.keepAlive, slot, generation, Math.min(MOST_MS, keepAliveMs));
  }

  probe({ slot, generation }: EndName): void {
    this.#put(COMMAND.probe, slot, generation);
  }

  forget({ slot, generation }: EndName): void {
    this.#put(COMMAND.forget, slot, generation);
  }

  hello({ slot, generation }: EndName): void {
    this.#put(COMMAND.hello, slot, generation);
  }

  room(): void {
    this.#put(COMMAND.room, 0);
  }

  /** Hands over what there is. */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    if (!this.#addon.command(this.#words, count)) throw new Error('no memory for what the engine is to be told');
  }

  // eslint-disable-next-line max-params -- up to four words, without an array for each command
  #put(kind: number, first: number, second = 0, third = 0, fourth = 0): void {
    const at = this.#begin(kind, 6);
    this.#words[at] = first;
    this.#words[at + 1] = second;
    this.#words[at + 2] = third;
    this.#words[at + 3] = fourth;
    this.#flushSoon();
  }

  /** @param words of the whole command @returns where its arguments go */
  #begin(kind: number, words: number): number {
    if (this.#count + words > ROOM_WORDS) this.flush();
    if (words > ROOM_WORDS) throw new RangeError(`${words * 4} bytes are more than a command holds`);
    const at = this.#count;
    this.#words[at] = kind;
    this.#words[at + 1] = words;
    this.#count = at + words;
    return at + 2;
  }

  #flushSoon(): void {
    if (this.isGathering || this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(this.#flushLater);
  }
}

function wordsOf(bytes: number): number {
  return Math.ceil(bytes / 4);
}
