import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errnoOf } from '../../core/errors.ts';
import { hearDestroy, hearPush } from './internals.ts';

/** How long a peer may take to read its alert and close. */
const LINGER_MS = 1_000;
/** How much it may still send. */
const MAX_DROPPED_BYTES = 256 * 1024;
const CHECK_EVERY_MS = 20;

export interface TellAlertOptions {
  /** Whose handshake is about to begin. */
  readonly socket: TLSSocket;
  /** The socket below. */
  readonly raw: Socket;
  /** The handshake has failed; what is done to `socket` in this call does not end it, what is done later does. */
  readonly onFault: (error: NodeJS.ErrnoException) => void;
}

/**
 * Lets a peer read why its handshake failed. OpenSSL has sent an alert, and Node destroys the socket at once: with bytes of
 * the peer unread that is a reset, at which many a peer throws away what it has not read, the alert. So a FIN goes behind
 * the alert, and what the peer sends is dropped until it closes, for a bounded time.
 *
 * @returns ends the watch: the handshake is done
 */
export function tellAlert({ socket, raw, onFault }: TellAlertOptions): () => void {
  const destroy = socket.destroy.bind(socket);
  let state: 'shaking-hands' | 'telling' | 'told' = 'shaking-hands';
  hearDestroy(socket, (error) => {
    if (state === 'telling') return socket;
    if (state === 'told' || error === undefined || !isOurAlert(error) || raw.destroyed) {
      state = 'told';
      return destroy(error);
    }
    state = 'telling';
    // OpenSSL's alert may wait for the write before it.
    setImmediate(() => raw.end());
    linger(socket, raw, () => destroy(error));
    onFault(error);
    state = 'told';
    return socket;
  });
  return () => {
    state = 'told';
  };
}

/** OpenSSL found a fault by itself, as against being told of one by an alert of the peer. */
function isOurAlert(error: Error): boolean {
  const code = errnoOf(error);
  return code.startsWith('ERR_SSL_') && !code.includes('_ALERT_');
}

function linger(socket: TLSSocket, raw: Socket, onOver: () => void): void {
  const until = performance.now() + LINGER_MS;
  const most = raw.bytesRead + MAX_DROPPED_BYTES;
  const over = (): void => {
    clearInterval(timer);
    onOver();
  };
  const timer = setInterval(() => {
    if (performance.now() >= until || raw.bytesRead > most) over();
  }, CHECK_EVERY_MS);
  const push = socket.push.bind(socket);
  hearPush(socket, (chunk, encoding) => {
    // The peer has closed. Not at once: this is called while Node still reads from what would be freed.
    if (chunk === null) setImmediate(over);
    return push(chunk, encoding);
  });
  socket.once('close', () => clearInterval(timer));
}
