import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One connection to a Redis that speaks its inline protocol: a word or two there, one short reply back. */
export class RedisInline {
  readonly socket: Socket;

  readonly #answerMs: number;

  private constructor(socket: Socket, answerMs: number) {
    this.socket = socket;
    this.#answerMs = answerMs;
  }

  /** @param answerMs for the connection, and for each reply */
  static async connect(port: number, host = '127.0.0.1', answerMs = 15_000): Promise<RedisInline> {
    const socket = connect({ port, host, timeout: answerMs });
    socket.on('timeout', () => socket.destroy(new Error(`no answer within ${answerMs} ms`)));
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    // Between two questions it may idle for as long as a test likes.
    socket.setTimeout(0);
    return new RedisInline(socket, answerMs);
  }

  /** @returns the reply's text. Rejects when the connection ends first, or on an error reply. */
  async ask(command: string): Promise<string> {
    this.socket.write(`${command}\r\n`);
    let text = '';
    for (;;) {
      const reply = /^[+](.*)\r\n|^[$]\d+\r\n(.*)\r\n/.exec(text);
      if (reply !== null) return reply[1] ?? reply[2] ?? '';
      if (text.startsWith('-')) throw new Error(text);
      text += await this.#read();
    }
  }

  /** @returns the words of any reply, one a line. Rejects as `ask` does. */
  async words(command: string): Promise<string> {
    this.socket.write(`${command}\r\n`);
    let text = '';
    for (;;) {
      text += await this.#read();
      if (text.startsWith('-')) throw new Error(text);
      const read = wordsOf(text.split('\r\n'));
      if (read !== undefined) return read.join('\n');
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #read(): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (chunk?: Buffer) => {
        this.socket.setTimeout(0);
        this.socket.off('data', done).off('close', done);
        if (Buffer.isBuffer(chunk)) resolve(chunk.toString());
        else reject(new Error('the connection ended before the reply'));
      };
      if (this.socket.destroyed) {
        done();
        return;
      }
      this.socket.setTimeout(this.#answerMs);
      this.socket.on('data', done).on('close', done);
    });
  }
}

/** What a whole reply says, without what tells its structure; undefined: it is not whole. Takes its lines away. */
function wordsOf(lines: string[]): readonly string[] | undefined {
  const head = lines.shift();
  if (head === undefined || (lines.length === 0 && head !== '')) return undefined;
  if (head.startsWith('*')) {
    const items: string[] = [];
    for (let left = Number(head.slice(1)); left > 0; left -= 1) {
      const item = wordsOf(lines);
      if (item === undefined) return undefined;
      items.push(...item);
    }
    return items;
  }
  if (!head.startsWith('$')) return head === '' ? undefined : [head.slice(1)];
  if (head === '$-1') return [''];
  const body = lines.shift();
  return body === undefined || lines.length === 0 ? undefined : [body];
}

/** Asks one thing on a connection of its own. */
export async function askRedis(port: number, command: string): Promise<string> {
  const redis = await RedisInline.connect(port);
  try {
    return await redis.ask(command);
  } finally {
    redis.close();
  }
}
