import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { nodeHttp } from './node-http.ts';

/** How long a client whose bytes are not wanted may still send, so that it reads the answer before it meets a reset. */
export const LINGER_MS = 300;

/**
 * Sees to it that a connection gets one answer. `respond` has every request that is whole; what Node would answer by itself, and
 * then keep the connection or drop it without a word (`Expect`, CONNECT, bytes that are no request, a request that does not
 * come), is answered here. A later request on the same connection gets nothing: the connection ends behind the first.
 */
export function answerOnce(
  server: Server,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const asked = new WeakSet<Duplex>();
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (asked.has(socket)) {
      // Or as many as it sends would be kept until the first is answered.
      socket.pause();
      return;
    }
    asked.add(socket);
    respond(request, response);
  };
  // Without a listener for `upgrade` such a request is an ordinary one.
  server.on('request', take).on('checkContinue', take).on('checkExpectation', take);
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    if (asked.has(socket)) return;
    asked.add(socket);
    // Node has let go of the socket.
    socket.on('error', () => undefined);
    socket.resume();
    endWith(socket, 405, 'CONNECT is not supported');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // The answer, which may be under way, ends the connection.
    if (asked.has(socket)) return;
    asked.add(socket);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const [status, reason] = FAULTS[error.code ?? ''] ?? [400, 'not an HTTP request'];
    endWith(socket, status, reason);
  });
}

const FAULTS: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'a request with a body is not supported'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long'],
};

/** Where there is no response of Node's to write with. */
function endWith(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`;
  const head = [
    `HTTP/1.1 ${status} ${nodeHttp().STATUS_CODES[status] ?? ''}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    // Needed in a 405; there is no method for what CONNECT names.
    ...(status === 405 ? ['allow: '] : []),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const late = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(late));
}
