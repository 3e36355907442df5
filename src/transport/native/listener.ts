import type { Listener, ListenerOptions } from '../engine.ts';
import { RetryingListener } from '../retrying-listener.ts';
import { NativeClient } from './client.ts';
import { errnoName } from './errno.ts';
import { NativeOpener, type OpenedSocket } from './opener.ts';
import type { Records } from './records.ts';
import type { NativeThread } from './thread.ts';

/** A listener whose clients the thread accepts. */
export function nativeListener(thread: NativeThread, options: ListenerOptions): Listener {
  const { address, handshake: settings, keepAliveMs, owner } = options;
  const isUnix = address.kind === 'unix';
  const accepted = (records: Records, { bound }: OpenedSocket) => {
    const local = bound === undefined ? undefined : { ip: bound.host, port: bound.port };
    owner.client(new NativeClient({ thread, records, isUnix, settings, local }));
  };
  const acceptFailed = (errno: number) => owner.acceptFailed(errnoName(errno));
  return new RetryingListener({
    ...options,
    opener: new NativeOpener({ thread, keepAliveMs, accepted, acceptFailed }),
    listening: ({ addresses, missing }) => owner.listening(addresses, missing),
    failed: (errno, retryInMs) => owner.listenFailed(errno, retryInMs),
  });
}
