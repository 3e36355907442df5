import { connect, type Socket } from 'node:net';

/** A connection that ended before its answer was whole: under faults that is no fault of anybody who is judged here. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

/** Bytes came that nobody had sent: what must never be. */
export class WrongBytes extends Error {
  override readonly name = 'WrongBytes';
}

export interface CheckedOptions {
  readonly port: number;
  /** Longest wait for a connection or one answer. */
  readonly limitMs: number;
}

type Expected = {
  readonly sentAt: number;
  readonly settle: (result: Error | Buffer | null) => void;
} & (
  | { readonly kind: 'exact'; readonly bytes: Buffer; seen: number }
  /** A bulk string of whatever content, or the null one. */
  | { readonly kind: 'bulk'; text: Buffer }
);

const CRLF = Buffer.from('\r\n');

/** One Redis connection on which every byte that comes is compared with the one that has to come, as it comes. */
export class CheckedConnection {
  /** When the first answer was whole, `Date.now()`. */
  firstAnsweredAt: number | undefined;
  /** When the last question was asked that was answered, `Date.now()`. */
  lastAskedAt = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly socket: Socket;
  readonly #limitMs: number;
  readonly #expected: Expected[] = [];
  #wrong: WrongBytes | undefined;

  /** Begins to connect; a connection that comes to nothing fails what is asked on it. */
  constructor({ port, limitMs }: CheckedOptions) {
    this.#limitMs = limitMs;
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.socket.destroy())
      .on('error', () => undefined)
      .on('close', () => this.#closed());
  }

  /** Sends `request`; resolves when exactly `answer` has come. @throws Cut, WrongBytes */
  async exact(request: Buffer, answer: Buffer): Promise<void> {
    await this.#ask(request, (base) => ({ ...base, kind: 'exact', bytes: answer, seen: 0 }));
  }

  /** Sends `request`, which is answered by a bulk string. @throws Cut, WrongBytes */
  async bulk(request: Buffer): Promise<string | undefined> {
    const answer = await this.#ask(request, (base) => ({ ...base, kind: 'bulk', text: Buffer.alloc(0) }));
    return answer?.toString();
  }

  /** Resolves when the socket is closed. */
  async closed(): Promise<void> {
    if (this.socket.closed) return;
    await new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
  }

  #ask(request: Buffer, make: (base: Pick<Expected, 'sentAt' | 'settle'>) => Expected): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(this.#wrong ?? new Cut('the connection has ended'));
        return;
      }
      const limit = setTimeout(() => this.socket.destroy(), this.#limitMs);
      const settle = (result: Error | Buffer | null) => {
        clearTimeout(limit);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      this.#expected.push(make({ sentAt: Date.now(), settle }));
      this.bytesOut += request.length;
      this.socket.write(request);
    });
  }

  #take(chunk: Buffer): void {
    this.bytesIn += chunk.length;
    let rest = chunk;
    while (rest.length > 0 && this.#wrong === undefined) {
      const [head] = this.#expected;
      if (head === undefined) this.#fail(`${rest.length} bytes that nobody asked for`, rest);
      else rest = head.kind === 'exact' ? this.#compare(head, rest) : this.#collect(head, rest);
    }
  }

  #compare(head: Extract<Expected, { kind: 'exact' }>, chunk: Buffer): Buffer {
    const length = Math.min(chunk.length, head.bytes.length - head.seen);
    const wanted = head.bytes.subarray(head.seen, head.seen + length);
    if (wanted.compare(chunk, 0, length) !== 0) {
      const offset = wanted.findIndex((byte, index) => byte !== chunk[index]);
      this.#fail(`byte ${head.seen + offset} of ${head.bytes.length}`, chunk.subarray(offset), wanted.subarray(offset));
      return chunk;
    }
    head.seen += length;
    if (head.seen === head.bytes.length) this.#answered(null);
    return chunk.subarray(length);
  }

  #collect(head: Extract<Expected, { kind: 'bulk' }>, chunk: Buffer): Buffer {
    head.text = Buffer.concat([head.text, chunk]);
    const end = head.text.indexOf(CRLF);
    if (end < 0) return Buffer.alloc(0);
    const match = /^[$](-1|\d{1,6})$/.exec(head.text.subarray(0, end).toString('latin1'));
    if (match === null) {
      this.#fail('not the head of a bulk string', head.text);
      return Buffer.alloc(0);
    }
    const start = end + CRLF.length;
    const length = Number(match[1]);
    if (length < 0) {
      this.#answered(null);
      return head.text.subarray(start);
    }
    if (head.text.length < start + length + CRLF.length) return Buffer.alloc(0);
    if (!head.text.subarray(start + length, start + length + CRLF.length).equals(CRLF)) {
      this.#fail('a bulk string that does not end where it says', head.text);
      return Buffer.alloc(0);
    }
    this.#answered(head.text.subarray(start, start + length));
    return head.text.subarray(start + length + CRLF.length);
  }

  #answered(answer: Buffer | null): void {
    const head = this.#expected.shift();
    if (head === undefined) return;
    this.firstAnsweredAt ??= Date.now();
    this.lastAskedAt = head.sentAt;
    head.settle(answer);
  }

  #fail(what: string, got: Buffer, wanted: Buffer = Buffer.alloc(0)): void {
    const shown = (bytes: Buffer) => JSON.stringify(bytes.subarray(0, 40).toString('latin1'));
    this.#wrong = new WrongBytes(`${what}: got ${shown(got)}, wanted ${shown(wanted)}`);
    this.socket.destroy();
    // Whoever asked hears of it at once; when nobody had asked, whoever asks next does.
    this.#closed();
  }

  #closed(): void {
    const error = this.#wrong ?? new Cut('the connection ended before the answer');
    for (const { settle } of this.#expected.splice(0)) settle(error);
  }

  /** Bytes that came without a question on a connection that asks nothing any more. */
  get wrong(): WrongBytes | undefined {
    return this.#wrong;
  }
}

/** A Redis command in its binary protocol. */
export function command(...words: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([
    Buffer.from(`*${words.length}\r\n`),
    ...words.map((word) => Buffer.concat([Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), CRLF])),
  ]);
}

/** The answer that is a bulk string. */
export function bulkOf(content: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${Buffer.byteLength(content)}\r\n`), Buffer.from(content), CRLF]);
}

export const OK = Buffer.from('+OK\r\n');
