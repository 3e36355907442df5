import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Attache } from './attache.ts';
import type { Scope } from './scope.ts';

export interface HttpReply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; throws when it is none. */
  json(): unknown;
}

export interface HttpRequestOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request at a port of this machine, with its whole answer. */
export async function httpAsk(port: number, path: string, options: HttpRequestOptions = {}): Promise<HttpReply> {
  const { host = '127.0.0.1', method = 'GET', headers = {}, body: sent } = options;
  const signal = AbortSignal.timeout(20_000);
  const asked = request({ host, port, path, method, headers, agent: false, signal });
  asked.end(sent);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const body = await text(response);
  return { status: response.statusCode, headers: response.headers, body, json: () => JSON.parse(body) as unknown };
}

/** A server of this process on loopback until the test ends. @returns its URL, without a slash at its end */
export async function serveHttp(t: Scope, onRequest: RequestListener): Promise<string> {
  const server = createServer(onRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The port that one of the program's HTTP servers got. */
export async function httpPort(attache: Attache, server: 'health' | 'admin' | 'probe'): Promise<number> {
  const { address } = await attache.line((line) => line.msg === 'HTTP server listening' && line['server'] === server);
  return Number(String(address).split(':').at(-1));
}
