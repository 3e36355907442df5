import { createServer, type Server, type Socket } from 'node:net';
import { errnoOf } from '../../core/errors.ts';
import type { Listener, ListenerOptions } from '../engine.ts';
import { serverOpener } from '../listen-all.ts';
import { RetryingListener } from '../retrying-listener.ts';
import { AcceptedClient } from './accepted-client.ts';
import { acceptDirectly } from './direct-accept.ts';
import { directAcceptWorks } from './direct-accept-check.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { keepAliveDelayMs } from './leg.ts';

/**
 * Whether accepted sockets read into buffers of ours, if a check in this process finds that it works; `on`: the listener
 * waits for the check.
 */
export type DirectIo = 'auto' | 'on' | 'off';

const BACKLOG = 4096;

/** A listener on sockets of Node. */
export function socketListener(options: ListenerOptions, wanted: DirectIo): Listener {
  const { address, handshake: settings, keepAliveMs, owner } = options;
  const isUnix = address.kind === 'unix';
  // TLS and the PROXY header read the socket in their own way.
  const directIo = settings.tls !== undefined || settings.proxyHeader ? 'off' : wanted;
  const onConnection = (socket: Socket) => owner.client(new AcceptedClient({ socket, isUnix, settings }));
  return new RetryingListener<Server>({
    ...options,
    backlog: BACKLOG,
    opener: serverOpener(() => serverFor(onConnection, keepAliveMs)),
    ...(directIo === 'on' && { ready: directAcceptWorks }),
    listening({ servers, addresses, missing }) {
      for (const server of servers) server.on('error', (error) => owner.acceptFailed(errnoOf(error)));
      owner.listening(addresses, missing);
      if (directIo !== 'off') for (const server of servers) goDirect(server, { onConnection, keepAliveMs });
    },
    failed: (errno, retryInMs) => owner.listenFailed(errno, retryInMs),
  });
}

/** Its clients are heard of from its birth on, so that an early one is not lost. */
function serverFor(onConnection: (socket: Socket) => void, keepAliveMs: number): Server {
  const server = createServer({
    allowHalfOpen: true,
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: keepAliveMs > 0,
    keepAliveInitialDelay: keepAliveDelayMs(keepAliveMs),
    highWaterMark: WRITE_HIGH_WATER_BYTES,
  });
  return server.on('connection', onConnection);
}

interface Accepting {
  readonly onConnection: (socket: Socket) => void;
  readonly keepAliveMs: number;
}

/** Until the check is through sockets come the usual way, so that no client waits for it; `on` has waited. */
function goDirect(server: Server, { onConnection, keepAliveMs }: Accepting): void {
  const options = { keepAliveDelayMs: keepAliveDelayMs(keepAliveMs), onConnection };
  void directAcceptWorks().then((works) => works && acceptDirectly(server, options));
}
