import { createServer, type Server, type Socket } from 'node:net';
import { errnoOf } from '../../core/errors.ts';
import type { Listener, ListenerOptions } from '../engine.ts';
import { serverOpener } from '../listen-all.ts';
import { RetryingListener } from '../retrying-listener.ts';
import { AcceptedClient } from './accepted-client.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { keepAliveDelayMs } from './leg.ts';

const BACKLOG = 4096;

/** A listener on sockets of Node. */
export function socketListener(options: ListenerOptions): Listener {
  const { address, handshake: settings, keepAliveMs, owner } = options;
  const isUnix = address.kind === 'unix';
  const onConnection = (socket: Socket) => owner.client(new AcceptedClient({ socket, isUnix, settings }));
  return new RetryingListener<Server>({
    ...options,
    backlog: BACKLOG,
    opener: serverOpener(() => serverFor(onConnection, keepAliveMs)),
    listening({ servers, addresses, missing }) {
      for (const server of servers) server.on('error', (error) => owner.acceptFailed(errnoOf(error)));
      owner.listening(addresses, missing);
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
