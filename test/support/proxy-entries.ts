import { readProxyHeader } from '../../src/core/read-proxy-header.ts';
import { startServer, type TestServer } from './tcp.ts';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** What a candidate was told ahead of the bytes of a client. */
export interface Told {
  readonly header: Buffer;
  /** `ip:port` of the client and of what it connected to; undefined when no ends were named. */
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly entries: ReadonlyMap<number, Buffer>;
}

/** A candidate that reads a header, and then sends back what it gets. */
export interface HeaderServer extends TestServer {
  /** Of each connection, in the order in which headers were whole. */
  readonly told: readonly Told[];
}

export async function startHeaderServer(t: TestContext): Promise<HeaderServer> {
  const told: Told[] = [];
  const server = await startServer(t, { onConnection: (socket) => onHeader(socket, (it) => told.push(it)) });
  return { ...server, told };
}

function onHeader(socket: Socket, tell: (told: Told) => void): void {
  let held = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    const read = readProxyHeader(held);
    if (read.status === 'wrong') socket.resetAndDestroy();
    if (read.status !== 'complete') return;
    socket.off('data', onData);
    const header = held.subarray(0, read.bytes);
    const { source, destination } = read.ends ?? {};
    const text = (end: typeof source) => end && `${end.ip}:${end.port}`;
    tell({ header, source: text(source), destination: text(destination), entries: entriesOf(header) });
    const rest = held.subarray(read.bytes);
    if (rest.length > 0) socket.write(rest);
    socket.pipe(socket);
  };
  socket.on('data', onData);
}

function entriesOf(header: Buffer): ReadonlyMap<number, Buffer> {
  const isV2 = header[0] !== 'P'.charCodeAt(0);
  const addresses = { 0x11: 12, 0x21: 36 }[header[13] ?? 0] ?? 0;
  return isV2 ? readEntries(header.subarray(16 + addresses)) : new Map();
}

/** Type, length and value, one after the other. */
export function readEntries(bytes: Buffer): Map<number, Buffer> {
  const entries = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const next = at + 3 + bytes.readUInt16BE(at + 1);
    entries.set(bytes.readUInt8(at), bytes.subarray(at + 3, next));
    at = next;
  }
  return entries;
}
