import { once } from 'node:events';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

/** What one connection got, and how it ended. */
export interface RawAnswer {
  readonly text: string;
  /** Every status line, in order: more than one is an answer too many. */
  readonly statuses: readonly number[];
  readonly end: 'fin' | 'reset' | 'open';
  readonly ms: number;
}

export interface RawRequest {
  readonly port: number;
  readonly bytes: string;
  /** Default 127.0.0.1. */
  readonly localAddress?: string;
  /** Sent again and again until the end. */
  readonly trickle?: string;
  /** It counts as open when it has not ended by then; default 8 s. */
  readonly withinMs?: number;
}

/** Sends bytes as they are, never ends its own side, and waits for the other's end. */
export async function askRaw({ port, bytes, localAddress, trickle, withinMs = 8_000 }: RawRequest): Promise<RawAnswer> {
  const began = performance.now();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...(localAddress && { localAddress }) });
  const chunks: Buffer[] = [];
  let end: RawAnswer['end'] = 'open';
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const over = Promise.race([
    once(socket, 'end').then(() => (end = 'fin')),
    once(socket, 'close').then(() => (end = 'reset')),
  ]);
  over.catch(() => (end = 'reset'));
  socket.on('error', () => undefined);
  socket.write(bytes);
  const more = trickle === undefined ? undefined : setInterval(() => socket.write(trickle), 50);
  const late = setTimeout(() => socket.destroy(), withinMs);
  await over.catch(() => undefined);
  clearInterval(more);
  clearTimeout(late);
  const ms = performance.now() - began;
  socket.destroy();
  const text = Buffer.concat(chunks).toString('latin1');
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return { text, statuses, end: ms < withinMs ? end : 'open', ms };
}
