import { connect as connectTcp, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { errnoOf, messageOf } from '../../core/errors.ts';
import { readBounded } from '../../files/read-file.ts';
import { withoutMark } from '../../files/text.ts';
import type { SentinelBackend } from '../backends.ts';
import { BoundedStream } from './bounded-stream.ts';

/** Where a Sentinel is. */
export interface SentinelAddress {
  readonly host: string;
  readonly port: number;
}

/** How Sentinels are spoken to. */
export interface SentinelLogin extends Omit<SentinelBackend, 'kind' | 'sentinels'> {
  readonly lookup: LookupFunction;
}

/** How long a Sentinel has for connecting, and for each answer. */
const ANSWER_MS = 2_000;

/** What a connection needs; its files are read for each anew. */
export async function connectionTo(address: SentinelAddress, login: SentinelLogin) {
  const { sentinelUsername: username, sentinelPassword: password, sentinelTls, lookup } = login;
  const tls = sentinelTls ? await filesOf(login) : undefined;
  return {
    Connector: connectorOf({ ...address, lookup }, tls),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
    // Redis before 6 knows no other.
    protocol: 2 as const,
    lazyConnect: true,
    // When it breaks a new one is made, with the address and the files of that time.
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    enableReadyCheck: false,
    disableClientInfo: true,
  } satisfies RedisOptions;
}

/**
 * Opens the socket of a client, with a limit for what comes from it. ioredis would also listen for one error, where a TLS
 * socket may tell two, end a handshake politely, and wait.
 *
 * @param tls undefined: plain TCP
 */
function connectorOf(
  target: TcpNetConnectOpts,
  tls: ConnectionOptions | undefined,
): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    #stream: BoundedStream | undefined;

    constructor() {
      super(0);
    }

    override connect(): Promise<Socket> {
      const stream = new BoundedStream(tls === undefined ? connectTcp(target) : connectTls({ ...target, ...tls }));
      stream.on('error', (error) => {
        this.firstError ??= error;
      });
      this.#stream = stream;
      // It has all that the client uses of a socket.
      return Promise.resolve(stream as unknown as Socket);
    }

    override disconnect(): void {
      this.#stream?.destroy();
    }
  };
}

/** What went wrong, in a word where there is one (`ECONNREFUSED`), and what to do about it where that is known. */
export function sentinelFaultText(fault: unknown): string {
  const message = messageOf(fault);
  const [word = ''] = /^[A-Z]{4,}(?= )/.exec(message) ?? [];
  if (['WRONGPASS', 'NOAUTH', 'NOPERM'].includes(word)) {
    return `${word}: correct SENTINEL_USERNAME and SENTINEL_PASSWORD`;
  }
  if (/^ERR unknown command/i.test(message)) return 'it is no Sentinel: name Sentinels in DSC, usually at port 26379';
  if (message === 'Command timed out' || errnoOf(fault) === 'ETIMEDOUT') return 'TIMEOUT';
  const errno = errnoOf(fault);
  if (/^[A-Z_]+$/.test(errno) && errno !== 'UNKNOWN') return errno;
  if (message !== 'Connection is closed.') return message;
  return 'it closed the connection: set SENTINEL_TLS=true if it speaks TLS';
}

async function filesOf(login: SentinelLogin): Promise<ConnectionOptions> {
  const { sentinelCaCertPath, sentinelCertPath, sentinelKeyPath } = login;
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : withoutMark((await readBounded(path)).bytes);
  const [ca, cert, key] = await Promise.all([sentinelCaCertPath, sentinelCertPath, sentinelKeyPath].map(read));
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}
