import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One connection to a Redis that speaks its inline protocol: a word or two there, one short reply back. */
export class RedisInline {
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RedisInline> {
    const socket = connect({ port, host, timeout: 5000 });
    socket.on('timeout', () => socket.destroy(new Error('no answer within 5 s')));
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return new RedisInline(socket);
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

  close(): void {
    this.socket.destroy();
  }

  #read(): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (chunk?: Buffer) => {
        this.socket.off('data', done).off('close', done);
        if (Buffer.isBuffer(chunk)) resolve(chunk.toString());
        else reject(new Error('the connection ended before the reply'));
      };
      if (this.socket.destroyed) done();
      this.socket.on('data', done).on('close', done);
    });
  }
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
