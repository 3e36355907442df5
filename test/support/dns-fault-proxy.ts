import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from './scope.ts';

/** What becomes of the replies of a name server on their way by UDP. */
export interface DnsFaults {
  /** Queries that vanish before any other is passed on. */
  lose?: number;
  /** Replies come this much later, ms. */
  delayMs?: number;
  /** Packets with the wrong id, from the right place, come first; they name this IPv4 address. */
  spoof?: string;
  /** Bytes that are no DNS come first. */
  garbage?: boolean;
  /** Every reply is cut off, and says so. */
  truncate?: boolean;
  /** Every reply says this in place of its answer. */
  say?: 'SERVFAIL' | 'NXDOMAIN' | 'REFUSED' | 'empty';
  /** Every query vanishes, by TCP, too. */
  silent?: boolean;
}

export interface DnsFaultProxy {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** May be changed at any time. */
  readonly faults: DnsFaults;
  readonly queries: () => { readonly udp: number; readonly tcp: number };
}

const HEADER_BYTES = 12;
const TRUNCATED = 0x0200;
const CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5, empty: 0 } as const;
const PORT_ATTEMPTS = 20;

/** Stands before a name server on 127.0.0.1, by UDP and TCP; ended with the test. */
export async function startDnsFaultProxy(t: Scope, upstream: number): Promise<DnsFaultProxy> {
  const faults: DnsFaults = {};
  const counts = { udp: 0, tcp: 0 };
  const tcp = createServer((client) => {
    counts.tcp += 1;
    if (faults.silent !== true) join(client, connect(upstream, '127.0.0.1'));
  });
  const sockets = new Set<Socket>();
  tcp.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  const udp = createSocket('udp4');
  const open = { now: true };
  udp.on('message', (query, from) => {
    counts.udp += 1;
    if (faults.silent === true) return;
    if ((faults.lose ?? 0) > 0) {
      faults.lose = (faults.lose ?? 0) - 1;
      return;
    }
    const send = (packet: Buffer) => {
      if (open.now) udp.send(packet, from.port, from.address);
    };
    pass({ query, upstream, faults, send });
  });
  const port = await bindBoth(udp, tcp);
  t.after(() => {
    open.now = false;
    udp.close();
    for (const socket of sockets) socket.destroy();
    tcp.close();
  });
  return { address: `127.0.0.1:${port}`, faults, queries: () => ({ ...counts }) };
}

/** One port for both: TCP takes one that is free, UDP the same if it can. */
async function bindBoth(udp: ReturnType<typeof createSocket>, tcp: ReturnType<typeof createServer>): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const address = tcp.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const bound = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.removeAllListeners('error');
    if (bound) return port;
    if (attempt === PORT_ATTEMPTS) throw new Error('no port that is free for UDP and TCP');
    tcp.close();
    await once(tcp, 'close');
  }
}

interface Passing {
  readonly query: Buffer;
  readonly upstream: number;
  readonly faults: DnsFaults;
  readonly send: (packet: Buffer) => void;
}

function pass({ query, upstream, faults, send }: Passing): void {
  const socket = createSocket('udp4');
  const timer = setTimeout(() => socket.close(), 10_000);
  socket.on('error', () => undefined);
  socket.on('message', (reply: Buffer) => {
    clearTimeout(timer);
    socket.close();
    if (faults.garbage === true) send(Buffer.from('no DNS at all'));
    if (faults.spoof !== undefined) send(spoofed(reply, faults.spoof));
    const changed = change(reply, faults);
    if (faults.delayMs === undefined) send(changed);
    else setTimeout(send, faults.delayMs, changed).unref();
  });
  socket.send(query, upstream, '127.0.0.1');
}

function change(reply: Buffer, { truncate, say }: DnsFaults): Buffer {
  if (truncate !== true && say === undefined) return reply;
  const head = Buffer.from(reply.subarray(0, endOfQuestion(reply)));
  const flags = head.readUInt16BE(2) & 0xfff0;
  head.writeUInt16BE(say === undefined ? flags | TRUNCATED : flags | CODES[say], 2);
  for (const count of [6, 8, 10]) head.writeUInt16BE(0, count);
  return head;
}

/** The same question under another id, with an answer of the attacker's. */
function spoofed(reply: Buffer, ip: string): Buffer {
  const head = Buffer.from(reply.subarray(0, endOfQuestion(reply)));
  head.writeUInt16BE((head.readUInt16BE(0) + 1) & 0xffff, 0);
  head.writeUInt16BE(head.readUInt16BE(2) & 0xfff0, 2);
  head.writeUInt16BE(1, 6);
  for (const count of [8, 10]) head.writeUInt16BE(0, count);
  // A pointer to the question's name, A, IN, TTL 60, 4 bytes.
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ip.split('.').map(Number)]);
  return Buffer.concat([head, record]);
}

function endOfQuestion(packet: Buffer): number {
  let at = HEADER_BYTES;
  while ((packet[at] ?? 0) > 0) at += (packet[at] ?? 0) + 1;
  return at + 5;
}

function join(client: Socket, server: Socket): void {
  client.pipe(server).pipe(client);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}
