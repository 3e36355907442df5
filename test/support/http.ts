import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Attache } from './attache.ts';

export interface HttpReply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; throws when it is none. */
  json(): unknown;
}

export interface HttpRequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request at a port of this machine, with its whole answer. */
export async function httpAsk(port: number, path: string, options: HttpRequestOptions = {}): Promise<HttpReply> {
  const { method = 'GET', headers = {}, body: sent } = options;
  const signal = AbortSignal.timeout(20_000);
  const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false, signal });
  asked.end(sent);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const body = await text(response);
  return { status: response.statusCode, headers: response.headers, body, json: () => JSON.parse(body) as unknown };
}

/** The port that one of the program's HTTP servers got. */
export async function httpPort(attache: Attache, server: 'health' | 'admin'): Promise<number> {
  const { address } = await attache.line((line) => line.msg === 'HTTP server listening' && line['server'] === server);
  return Number(String(address).split(':').at(-1));
}
