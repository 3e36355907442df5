import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ListenOptions } from 'node:net';
import type { Writable } from 'node:stream';
import type { Address } from '../core/address.ts';
import { fullJitterBackoff } from '../core/backoff.ts';
import { errnoOf } from '../core/errors.ts';
import { escapeInvisible } from '../core/visible.ts';
import { removeStaleSocket } from '../transport/stale-socket.ts';
import { nodeHttp } from './node-http.ts';

/** A small HTTP server that never stands in the proxy's way. */
export interface HttpEndpoint {
  /** Resolves when it listens or has failed once; then it goes on trying by itself. Never rejects. */
  start(): Promise<void>;
  /** Lets answers under way finish, half a second at most. May be called twice, before `start`, and while it runs. */
  close(): Promise<void>;
  /** Where it really listens; undefined while it does not. */
  address(): Address | undefined;
}

export interface HttpEndpointOptions {
  readonly address: Address;
  /** @param errno e.g. `EADDRINUSE`; the next try comes in `retryInMs` */
  readonly onListenFailed: (errno: string, retryInMs: number) => void;
  readonly onListening?: (address: Address) => void;
  /** Answers one request; whoever asks gets 500 for a throw of it. */
  readonly answer: (request: HttpRequest) => AnyAnswer | Promise<AnyAnswer>;
  /** Hears what `answer` threw. */
  readonly onError: (error: unknown) => void;
}

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<NodeJS.Dict<string | string[]>>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Text, or a value that is sent as JSON. */
  readonly body: string | object;
  /** Default: plain text, or JSON. */
  readonly type?: string;
  /** Methods of this path, for a 405. */
  readonly allow?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on, without the time limits of the others, until one of both ends it. */
export interface HttpStream {
  readonly type: string;
  /** Gets where to write to, and has to see to it that no more waits there than memory is for. */
  readonly stream: (channel: Writable) => void;
}

export type AnyAnswer = HttpAnswer | HttpStream;

/** Makes a server that takes small requests without a body, one per connection, and is quick to hang up. */
export function httpEndpoint(options: HttpEndpointOptions): HttpEndpoint {
  return new Endpoint(options);
}

const MAX_HEADER_BYTES = 8_192;
/** A probe sends its few hundred bytes at once; what takes longer is cut, so that it cannot use up the connections. */
const HEADERS_TIMEOUT_MS = 2_000;
const CHECK_INTERVAL_MS = 500;
/** For an answer that has to be waited for. */
const ANSWER_TIMEOUT_MS = 20_000;
const MAX_CONNECTIONS = 128;
const CLOSE_GRACE_MS = 500;
const RETRY = { initialMs: 200, maxMs: 5_000, minMs: 100 } as const;

type State =
  | { readonly phase: 'new' | 'closed' }
  | { readonly phase: 'opening'; readonly retry?: NodeJS.Timeout }
  | { readonly phase: 'listening'; readonly server: Server; readonly address: Address };

class Endpoint implements HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #backoff = fullJitterBackoff(RETRY);
  #state: State = { phase: 'new' };
  #closing: Promise<void> | undefined;

  constructor(options: HttpEndpointOptions) {
    this.#options = options;
  }

  address(): Address | undefined {
    return this.#state.phase === 'listening' ? this.#state.address : undefined;
  }

  async start(): Promise<void> {
    if (this.#state.phase !== 'new') return;
    await this.#open();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const state = this.#state;
    this.#state = { phase: 'closed' };
    // An attempt that is under way sees the phase when it is through; closing its server now could leave it waiting.
    if (state.phase === 'opening') clearTimeout(state.retry);
    if (state.phase === 'listening') await shut(state.server);
  }

  /** Never rejects. */
  async #open(): Promise<void> {
    const { address } = this.#options;
    const server = this.#createServer();
    this.#state = { phase: 'opening' };
    try {
      await listen(server, address);
      if (!this.#isOpening()) {
        await shut(server);
        return;
      }
      const bound = boundAddress(server, address);
      this.#state = { phase: 'listening', server, address: bound };
      this.#options.onListening?.(bound);
    } catch (error) {
      const errno = errnoOf(error);
      const freed = address.kind === 'unix' && errno === 'EADDRINUSE' && (await removeStaleSocket(address.path));
      if (!this.#isOpening()) return;
      if (freed) {
        await this.#open();
        return;
      }
      const retryInMs = this.#backoff.next();
      this.#state = { phase: 'opening', retry: setTimeout(() => void this.#open(), retryInMs) };
      this.#options.onListenFailed(errno, retryInMs);
    }
  }

  #isOpening(): boolean {
    return this.#state.phase === 'opening';
  }

  #createServer(): Server {
    const server = nodeHttp().createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      noDelay: true,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = HEADERS_TIMEOUT_MS + CHECK_INTERVAL_MS;
    server.on('request', (request, response) => void respond(request, response, this.#options));
    return server;
  }
}

function listen(server: Server, address: Address): Promise<void> {
  const where: ListenOptions =
    address.kind === 'unix'
      ? { path: address.path }
      : { port: address.port, ...(address.host === '' ? {} : { host: address.host }) };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      // What cannot be accepted (out of descriptors) is tried again by whoever asks.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address();
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: asked.host === '' ? '' : bound.address, port: bound.port };
}

/** Connections without a request under way are closed by `server.close()` itself. */
function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpEndpointOptions,
): Promise<void> {
  const answer = await decide(request, options);
  if ('stream' in answer) {
    stream(answer, request, response);
    return;
  }
  const { status, body, type, allow, headers } = answer;
  const isText = typeof body === 'string';
  const text = isText ? body : escapeInvisible(JSON.stringify(body));
  const bytes = Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
  response.writeHead(status, {
    'content-type': type ?? (isText ? 'text/plain; charset=utf-8' : 'application/json'),
    'content-length': bytes.length,
    ...COMMON_HEADERS,
    ...headers,
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  connection: 'close',
} as const;

function stream(answer: HttpStream, request: IncomingMessage, response: ServerResponse): void {
  request.socket.setTimeout(0);
  response.writeHead(200, { 'content-type': answer.type, ...COMMON_HEADERS });
  answer.stream(response);
}

/** Never rejects. */
async function decide(request: IncomingMessage, { answer, onError }: HttpEndpointOptions): Promise<AnyAnswer> {
  const { headers, method = '', url = '', socket } = request;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
    return { status: 413, body: 'no request here has a body' };
  }
  try {
    const [path, query] = split(url);
    const answered = answer({ method, path, query: new URLSearchParams(query), headers });
    if (!(answered instanceof Promise)) return answered;
    // Nothing moves on the connection while the answer is looked for.
    socket.setTimeout(ANSWER_TIMEOUT_MS);
    return await answered;
  } catch (error) {
    onError(error);
    return { status: 500, body: 'internal error' };
  }
}

function split(url: string): readonly [path: string, query: string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}
