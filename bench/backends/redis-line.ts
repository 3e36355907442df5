import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const ANSWER_WITHIN_MS = 20_000;

/** One connection to Redis that asks one thing after the other. */
export class RedisLine {
  readonly #socket: Socket;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (chunk: string) => (this.#text += chunk));
    // The end of the connection tells it.
    socket.on('error', () => undefined);
  }

  /** @throws Error when nobody accepts */
  static async connect(port: number): Promise<RedisLine> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new RedisLine(socket);
  }

  /**
   * @returns the reply: a line, or a text behind its length
   * @throws Error when the connection ends before, or no answer comes within 20 s
   */
  async ask(command: string): Promise<string> {
    this.#text = '';
    const deadline = AbortSignal.timeout(ANSWER_WITHIN_MS);
    this.#socket.write(`${command}\r\n`);
    while (!isWhole(this.#text)) {
      if (this.#socket.destroyed || this.#socket.readableEnded) throw new Error('the connection has ended');
      const over = new AbortController();
      const signal = AbortSignal.any([deadline, over.signal]);
      try {
        await Promise.race([once(this.#socket, 'data', { signal }), once(this.#socket, 'close', { signal })]);
      } finally {
        over.abort();
      }
    }
    return this.#text;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Of a status, an error, a number or a text. */
function isWhole(reply: string): boolean {
  const end = reply.indexOf('\r\n');
  if (end === -1) return false;
  return !reply.startsWith('$') || reply.length >= end + 4 + Math.max(0, Number(reply.slice(1, end)));
}
