import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { errnoOf } from '../../core/errors.ts';
import { queryFor, readDnsReply, type RecordQuery, type DnsReply } from './reply.ts';

/** Where a name server is. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** A reply that is whole. */
export type WholeReply = Exclude<DnsReply, { readonly kind: 'truncated' }>;

/** How long one server has for an answer, by UDP and again by TCP. */
const SERVER_MS = 2_000;
/** A packet may be lost: the query is sent again, then and then. */
const AGAIN_MS = [500, 1_200];
const MAX_ID = 65_536;
const LENGTH_BYTES = 2;

export const TIMEOUT = 'TIMEOUT';

/**
 * Asks one name server: by UDP, and by TCP where the answer did not fit. Never rejects.
 *
 * @param signal ends it at once, with a fault
 */
export async function exchange(server: ServerAddress, question: RecordQuery, signal: AbortSignal): Promise<WholeReply> {
  let reply = await askByUdp({ server, question, signal, extended: true });
  // What servers say that have never heard of EDNS (RFC 6891).
  if (reply.kind === 'failed' && /^(?:FORMERR|NOTIMP)$/.test(reply.fault)) {
    reply = await askByUdp({ server, question, signal, extended: false });
  }
  return reply.kind === 'truncated' ? askByTcp({ server, question, signal, extended: false }) : reply;
}

interface Asking {
  readonly server: ServerAddress;
  readonly question: RecordQuery;
  readonly signal: AbortSignal;
  readonly extended: boolean;
}

function askByUdp({ server, question, signal, extended }: Asking): Promise<DnsReply> {
  return new Promise((resolve) => {
    const id = randomInt(MAX_ID);
    const query = queryFor(question, id, extended);
    // A socket for each question, at a port that the system picks: a forged answer has to guess the port and the id.
    const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
    const timers = [setTimeout(() => end(failed(TIMEOUT)), SERVER_MS)];
    const abort = () => end(failed('aborted'));
    const end = (reply: DnsReply) => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('message');
      socket.close();
      resolve(reply);
    };
    socket.once('error', (error) => end(failed(errnoOf(error))));
    socket.on('message', (packet) => {
      const reply = readDnsReply(packet, question, id);
      if (reply !== undefined) end(reply);
    });
    // A socket that is connected hears of nobody else.
    socket.once('connect', () => {
      const send = () => socket.send(query);
      send();
      timers.push(...AGAIN_MS.map((ms) => setTimeout(send, ms)));
    });
    socket.connect(server.port, server.host);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function askByTcp({ server, question, signal, extended }: Asking): Promise<WholeReply> {
  return new Promise((resolve) => {
    const id = randomInt(MAX_ID);
    const query = queryFor(question, id, extended);
    const socket = connect(server.port, server.host);
    const parts: Buffer[] = [];
    const timer = setTimeout(() => end(failed(TIMEOUT)), SERVER_MS);
    const abort = () => end(failed('aborted'));
    const end = (reply: DnsReply) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(reply.kind === 'truncated' ? failed('an answer that is cut off by TCP, too') : reply);
    };
    socket.on('error', (error) => end(failed(errnoOf(error))));
    socket.once('close', () => end(failed('ECONNRESET')));
    socket.once('connect', () => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (part) => {
      parts.push(part);
      const got = Buffer.concat(parts);
      if (got.length < LENGTH_BYTES || got.length < LENGTH_BYTES + got.readUInt16BE(0)) return;
      const packet = got.subarray(LENGTH_BYTES, LENGTH_BYTES + got.readUInt16BE(0));
      end(readDnsReply(packet, question, id) ?? failed('an answer to another question'));
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function failed(fault: string): WholeReply {
  return { kind: 'failed', fault };
}
