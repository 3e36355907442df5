import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Address } from '../core/address.ts';
import { fullJitterBackoff } from '../core/backoff.ts';
import { errnoOf } from '../core/errors.ts';
import type { Resolver } from '../core/resolver.ts';
import { escapeInvisible } from '../core/visible.ts';
import { systemResolver } from '../names/system-resolver.ts';
import { listenOnAll, serverOpener, type MissingAddress } from '../transport/listen-all.ts';
import { removeStaleSocket } from '../transport/stale-socket.ts';
import { nodeHttp } from './node-http.ts';
import { answerOnce, LINGER_MS } from './one-answer.ts';
import { HttpAdmission } from './http-admission.ts';
import { hasBody, readRequest } from './request-target.ts';

/** A small HTTP server that never stands in the proxy's way. */
export interface HttpEndpoint {
  /** Resolves when it listens or has failed once; then it goes on trying by itself. Never rejects. */
  start(): Promise<void>;
  /** Lets answers under way finish, half a second at most. May be called twice, before `start`, and while it runs. */
  close(): Promise<void>;
  /** Where it really listens, of several addresses the first; undefined while it does not. */
  address(): Address | undefined;
}

export interface HttpEndpointOptions {
  /** A name stands for all of its addresses. */
  readonly address: Address;
  /** Default: one of its own. */
  readonly resolver?: Resolver;
  /** Of the file, where the address is a Unix socket; default: everybody may connect. */
  readonly socketMode?: number | undefined;
  /** @param errno e.g. `EADDRINUSE`; the next try comes in `retryInMs` */
  readonly onListenFailed: (errno: string, retryInMs: number) => void;
  /**
   * @param addresses all that it listens on
   * @param missing addresses of the name that this machine does not have
   */
  readonly onListening?: (addresses: readonly [Address, ...Address[]], missing: readonly MissingAddress[]) => void;
  /** Answers one request. When this function throws the client gets 500. */
  readonly answer: (request: HttpRequest) => AnyAnswer | Promise<AnyAnswer>;
  /** Whether a request may have a body; default: none may. The path may have a query. */
  readonly takesBody?: (method: string, target: string) => boolean;
  /** Hears what `answer` threw. */
  readonly onError: (error: unknown) => void;
}

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What the client calls us, in lower case, with the port it says; undefined when it does not say (HTTP/1.0). */
  readonly host: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<NodeJS.Dict<string | string[]>>;
  /** Reads the body as text, once; undefined: it is longer than {@link MAX_BODY_BYTES}. @throws when the client goes away */
  readonly body: () => Promise<string | undefined>;
}

/** Of a request that may have a body. */
export const MAX_BODY_BYTES = 1_048_576;

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
  return new NodeHttpEndpoint(options);
}

const MAX_HEADER_BYTES = 8_192;
/** A probe sends its few hundred bytes at once; what takes longer is cut, so that it cannot use up the connections. */
const HEADERS_TIMEOUT_MS = 2_000;
const CHECK_INTERVAL_MS = 500;
/** For an answer that has to be waited for. */
const ANSWER_TIMEOUT_MS = 20_000;
const BACKLOG = 4_096;
const CLOSE_GRACE_MS = 500;
const RETRY = { initialMs: 200, maxMs: 5_000, minMs: 100 } as const;

type State =
  | { readonly phase: 'new' | 'closed' }
  | { readonly phase: 'opening'; readonly retry?: NodeJS.Timeout }
  | { readonly phase: 'listening'; readonly servers: readonly Server[]; readonly address: Address };

class NodeHttpEndpoint implements HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #backoff = fullJitterBackoff(RETRY);
  readonly #places = new HttpAdmission();
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
    if (state.phase === 'listening') await Promise.all(state.servers.map(shut));
  }

  /** Never rejects. */
  async #open(): Promise<void> {
    const { address, resolver = systemResolver(), socketMode } = this.#options;
    this.#state = { phase: 'opening' };
    try {
      const opener = serverOpener(() => this.#createServer());
      const { servers, addresses, missing } = await listenOnAll({
        address,
        family: 0,
        resolver,
        opener,
        socketMode,
        backlog: BACKLOG,
      });
      // A client that cannot be accepted (out of descriptors) tries again by itself.
      for (const server of servers) server.on('error', () => undefined);
      if (!this.#isOpening()) {
        await Promise.all(servers.map(shut));
        return;
      }
      this.#state = { phase: 'listening', servers, address: addresses[0] };
      this.#options.onListening?.(addresses, missing);
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
      // Answered by us, as all faults of a request are.
      requireHostHeader: false,
    });
    // For a connection that Node does not know to be late by then.
    server.timeout = HEADERS_TIMEOUT_MS + 2 * CHECK_INTERVAL_MS;
    const places = this.#places;
    server.on('connection', (socket: Socket) => places.enter(socket));
    answerOnce(server, (request, response) => void respond(request, response, { ...this.#options, places }));
    return server;
  }
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

interface Responding extends HttpEndpointOptions {
  readonly places: HttpAdmission;
}

/** Never rejects. */
async function respond(request: IncomingMessage, response: ServerResponse, options: Responding): Promise<void> {
  const { places } = options;
  const { socket } = request;
  places.answering(socket);
  const answer = await decide(request, options, () => readBody(request, response));
  if ('stream' in answer) {
    places.streaming(socket);
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
  if (request.method === 'HEAD') response.flushHeaders();
  else response.write(bytes);
  places.taking(socket);
  if (hasBody(request.headers)) await discard(request);
  response.end();
}

async function readBody(request: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Takes a body that nobody wants, for a while: to close with bytes unread is a reset, which can overtake the answer. */
async function discard(request: IncomingMessage): Promise<void> {
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(LINGER_MS) }).catch(() => undefined);
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
async function decide(
  request: IncomingMessage,
  { answer, onError, takesBody }: HttpEndpointOptions,
  body: HttpRequest['body'],
): Promise<AnyAnswer> {
  const { headers, method = '', socket, url = '' } = request;
  try {
    const asked = readRequest(request, takesBody?.(method, url));
    if (!asked.ok) return asked.answer;
    const answered = answer({ method, path: asked.path, query: asked.query, host: asked.host, headers, body });
    if (!(answered instanceof Promise)) return answered;
    // Nothing moves on the connection while the answer is looked for.
    socket.setTimeout(ANSWER_TIMEOUT_MS);
    return await answered;
  } catch (error) {
    onError(error);
    return { status: 500, body: 'internal error' };
  }
}
