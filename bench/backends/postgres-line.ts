import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface PostgresPlace {
  readonly host: string;
  readonly port: number;
}

/** Who may do everything, and its database. */
export const POSTGRES_USER = 'postgres';

/** Protocol 3.0. */
const PROTOCOL = 196_608;
/** A proxy may hold an app for as long as nobody leads. */
const ANSWER_WITHIN_MS = 90_000;

/** One connection to PostgreSQL, without a password, that asks one thing after the other. */
export class PostgresLine {
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => (this.#unread = Buffer.concat([this.#unread, chunk])));
    // The end of the connection tells it.
    socket.on('error', () => undefined);
  }

  /** @throws Error when nobody accepts, or the server does not let it in */
  static async connect({ host, port }: PostgresPlace): Promise<PostgresLine> {
    const socket = connect(port, host);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const line = new PostgresLine(socket);
    try {
      socket.write(startup());
      await line.#answer();
    } catch (error) {
      line.close();
      throw error;
    }
    return line;
  }

  /**
   * @returns the first value of the first row; empty when there is none
   * @throws Error with what the server said, when the connection ends before, or when no answer comes in time
   */
  async ask(sql: string): Promise<string> {
    this.#socket.write(message('Q', text(sql)));
    return this.#answer();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #answer(): Promise<string> {
    const deadline = AbortSignal.timeout(ANSWER_WITHIN_MS);
    let value: string | undefined;
    let fault: string | undefined;
    for (;;) {
      const { messages, rest } = readMessages(this.#unread);
      this.#unread = rest;
      for (const { type, body } of messages) {
        if (type === 'E') fault ??= faultOf(body);
        if (type === 'D') value ??= firstValue(body);
        if (type !== 'Z') continue;
        if (fault !== undefined) throw new Error(fault);
        return value ?? '';
      }
      if (this.#socket.destroyed || this.#socket.readableEnded) throw new Error(fault ?? 'the connection has ended');
      const over = new AbortController();
      const signal = AbortSignal.any([deadline, over.signal]);
      try {
        await Promise.race([once(this.#socket, 'data', { signal }), once(this.#socket, 'close', { signal })]);
      } finally {
        over.abort();
      }
    }
  }
}

export interface PostgresMessage {
  readonly type: string;
  readonly body: Buffer;
}

const HEAD_BYTES = 5;

/** The whole messages at the beginning of what has been received, and what is behind them. */
export function readMessages(received: Buffer): {
  readonly messages: readonly PostgresMessage[];
  readonly rest: Buffer;
} {
  const messages: PostgresMessage[] = [];
  let rest = received;
  while (rest.length >= HEAD_BYTES) {
    // The length counts itself, and not the type before it.
    const end = 1 + rest.readUInt32BE(1);
    if (rest.length < end) break;
    messages.push({ type: String.fromCharCode(rest.readUInt8(0)), body: rest.subarray(HEAD_BYTES, end) });
    rest = rest.subarray(end);
  }
  return { messages, rest };
}

/** Of an ErrorResponse: the field M. */
export function faultOf(body: Buffer): string {
  const field = body
    .toString('utf8')
    .split('\0')
    .find((one) => one.startsWith('M'));
  return field?.slice(1) ?? 'an error without a message';
}

/** Of a DataRow. */
export function firstValue(body: Buffer): string {
  const columns = body.readUInt16BE(0);
  const length = columns === 0 ? -1 : body.readInt32BE(2);
  return length <= 0 ? '' : body.toString('utf8', 6, 6 + length);
}

function startup(): Buffer {
  const settings = { user: POSTGRES_USER, database: POSTGRES_USER, application_name: 'bench' };
  const protocol = Buffer.alloc(4);
  protocol.writeUInt32BE(PROTOCOL);
  return framed(Buffer.concat([protocol, ...Object.entries(settings).flat().map(text), Buffer.alloc(1)]));
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), framed(body)]);
}

function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + body.length);
  return Buffer.concat([length, body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}
