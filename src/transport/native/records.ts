import { ipv4Text, ipv6Text, plainIp } from '../../core/ip-bytes.ts';
import type { ProxyEndpoint } from '../../core/proxy-header.ts';

/** `native/ring.h`. */
export const RECORD = {
  accepted: 1,
  acceptFailed: 2,
  lent: 3,
  ended: 4,
  dialed: 5,
  closed: 6,
  watch: 7,
  over: 8,
  hello: 9,
  secured: 10,
  refused: 11,
  home: 12,
} as const;

/** The head of the ring, in words of 32 bits. */
const HEAD = { head: 0, tail: 1, isFull: 2, isCalled: 3 } as const;
const HEAD_BYTES = 64;
const RECORD_BYTES = 64;
const RECORD_WORDS = RECORD_BYTES / 4;
/** Places in a record, in bytes. */
const AT = { family: 16, remotePort: 20, localPort: 22, remote: 24, local: 40, toCandidate: 32, toClient: 40 } as const;

/**
 * The records that the thread writes, one after the other. What it answers is of the record that {@link Records.next} went to, and
 * holds until it is called again.
 */
export class Records {
  readonly #head: Int32Array;
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  readonly #room: number;
  #tail = 0;
  #at = 0;

  constructor(ring: ArrayBuffer) {
    this.#head = new Int32Array(ring, 0, HEAD_BYTES / 4);
    this.#words = new Uint32Array(ring, HEAD_BYTES);
    this.#bytes = Buffer.from(ring, HEAD_BYTES);
    this.#room = this.#bytes.length / RECORD_BYTES;
  }

  /** To be called before the first of several `next`: from now on the thread calls again. */
  begin(): void {
    Atomics.store(this.#head, HEAD.isCalled, 0);
  }

  /** Goes to the next record. @returns whether there is one */
  next(): boolean {
    if (Atomics.load(this.#head, HEAD.head) === this.#tail) return false;
    this.#at = ((this.#tail >>> 0) % this.#room) * RECORD_WORDS;
    return true;
  }

  /** The record has been read: its place is the thread's again. */
  done(): void {
    this.#tail = (this.#tail + 1) | 0;
    Atomics.store(this.#head, HEAD.tail, this.#tail);
  }

  /** Whether the thread waits to be told of room. */
  get isFull(): boolean {
    return Atomics.load(this.#head, HEAD.isFull) !== 0;
  }

  get kind(): number {
    return this.#word(0);
  }

  get slot(): number {
    return this.#word(1);
  }

  get generation(): number {
    return this.#word(2);
  }

  /** The listener, or the candidate of a relay. */
  get of(): number {
    return this.#word(3);
  }

  /** An errno; 0: none. */
  get code(): number {
    return this.#word(4);
  }

  get endedBy(): number {
    return this.#word(5);
  }

  get reason(): number {
    return this.#word(6);
  }

  get bytesToCandidate(): number {
    return this.#bytes.readDoubleLE(this.#at * 4 + AT.toCandidate);
  }

  get bytesToClient(): number {
    return this.#bytes.readDoubleLE(this.#at * 4 + AT.toClient);
  }

  /** The client's address; undefined over a Unix socket. For a dial: our own address. */
  get remote(): ProxyEndpoint | undefined {
    return this.#endpoint(AT.remote, AT.remotePort);
  }

  /** Where to, when that is not always the same; undefined: not told. */
  get local(): ProxyEndpoint | undefined {
    const local = this.#endpoint(AT.local, AT.localPort);
    return local?.port === 0 ? undefined : local;
  }

  #word(index: number): number {
    return this.#words[this.#at + index] ?? 0;
  }

  #endpoint(addressAt: number, portAt: number): ProxyEndpoint | undefined {
    const start = this.#at * 4;
    const family = this.#bytes.readUInt32LE(start + AT.family);
    if (family === 0) return undefined;
    const bytes = this.#bytes.subarray(start + addressAt, start + addressAt + (family === 4 ? 4 : 16));
    const ip = family === 4 ? ipv4Text(bytes) : plainIp(ipv6Text(bytes));
    return { ip, port: this.#bytes.readUInt16LE(start + portAt) };
  }
}
