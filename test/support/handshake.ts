import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from '../../src/identity/material.ts';

export interface TlsPair {
  readonly server: TlsMaterial;
  readonly client: TlsMaterial;
}

/**
 * One mutual handshake over a loopback connection, each side with its own material.
 *
 * @param name asked for, and checked in the server's certificate
 * @returns the subjects that the server and the client presented
 * @throws what either side has against the other
 */
export async function shakeHands(pair: TlsPair, name: string): Promise<{ server: string; client: string }> {
  // Node itself would drop a client it refuses without a word of why.
  const listener = createServer({
    requestCert: true,
    rejectUnauthorized: false,
    SNICallback: (_name, answer) => answer(null, pair.server.secureContext),
  });
  const sockets: TLSSocket[] = [];
  const seen = new Promise<TLSSocket>((resolve, reject) => {
    listener.on('secureConnection', resolve);
    listener.on('tlsClientError', (error, socket) => {
      sockets.push(socket);
      reject(error);
    });
  });
  seen.catch(() => undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const dialing = connect({ port, host: '127.0.0.1', secureContext: pair.client.secureContext, servername: name });
  sockets.push(dialing);
  try {
    const gone = once(dialing, 'secureConnect');
    gone.catch(() => undefined);
    const serving = await Promise.race([seen, rejection(dialing)]);
    sockets.push(serving);
    if (!serving.authorized) throw Object.assign(new Error('refused'), { code: String(serving.authorizationError) });
    await gone;
    return { server: subject(dialing), client: subject(serving) };
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
  }
}

/** Never resolves. */
function rejection(socket: TLSSocket): Promise<never> {
  return new Promise((_, reject) => socket.on('error', reject));
}

function subject(side: TLSSocket): string {
  return side.getPeerX509Certificate()?.subject ?? 'none';
}
