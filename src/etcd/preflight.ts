import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { EtcdEndpoint, EtcdTlsMaterial } from './endpoint.ts';
import { EtcdFault } from './fault.ts';

export interface PreflightOptions {
  readonly endpoint: EtcdEndpoint;
  /** Undefined for a plain endpoint. */
  readonly tls: EtcdTlsMaterial | undefined;
  readonly lookup: LookupFunction;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks whether an endpoint accepts a connection and speaks HTTP/2, on a socket of our own that is gone afterwards.
 * The gRPC client cannot be asked: towards a server that accepts and says nothing it keeps the socket of each attempt,
 * and it hides the reason of a failure.
 *
 * @returns the IP address that answered, for a client that looks no name up by itself
 * @throws the socket's or the certificate's error, EtcdFault `TIMEOUT`, or the signal's reason
 */
export async function preflight(options: PreflightOptions): Promise<string> {
  const { endpoint, timeoutMs, signal } = options;
  signal.throwIfAborted();
  const socket = openSocket(options);
  let session: ClientHttp2Session | undefined;
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  let isLookedUp = isIP(endpoint.host) !== 0;
  socket.once('lookup', () => (isLookedUp = true));
  try {
    return await new Promise<string>((resolve, reject) => {
      abort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      timer = setTimeout(() => {
        const text = isLookedUp ? 'gave no answer' : 'is a name that no name server answered for';
        const code = isLookedUp ? 'TIMEOUT' : 'DNS_TIMEOUT';
        reject(new EtcdFault(code, `${endpoint.label} ${text} within ${timeoutMs} ms`));
      }, timeoutMs);
      socket.on('error', reject);
      socket.once('close', () => reject(new EtcdFault('ECONNRESET', `${endpoint.label} closed the connection`)));
      socket.once(endpoint.secure ? 'secureConnect' : 'connect', () => {
        const authority = `${endpoint.secure ? 'https' : 'http'}://${endpoint.label}`;
        session = connectHttp2(authority, { createConnection: () => socket });
        session.on('error', reject);
        session.once('remoteSettings', () => resolve(socket.remoteAddress ?? endpoint.host));
      });
    });
  } finally {
    clearTimeout(timer);
    if (abort) signal.removeEventListener('abort', abort);
    session?.destroy();
    socket.destroy();
  }
}

function openSocket({ endpoint, tls, lookup }: PreflightOptions): Socket {
  const { host, port } = endpoint;
  if (tls === undefined) return connectTcp({ host, port, lookup });
  return connectTls({
    host,
    port,
    lookup,
    ALPNProtocols: ['h2'],
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
}
