import type { Socket } from 'node:net';
import { ipv6Bytes, plainIp } from '../core/ip-bytes.ts';

/** Connections of one HTTP server that stay at the same time. Each bound is below the next, so that each keeps some for others. */
const MOST = {
  /** Without a whole request: 32 places are kept for those that have sent theirs. */
  silent: 96,
  /** From other machines: 16 places are kept for this one, where probes of a sidecar come from. */
  elsewhere: 112,
  all: 128,
  /** For the turn of the event loop in which those that have just been accepted are read for the first time. */
  crowd: 256,
} as const;

/** An answer is looked for and taken within this time, however slowly bytes trickle. */
const ANSWER_MS = 30_000;

/**
 * How far a connection has come: no whole request yet; its answer is looked for; the answer only waits for its reader; an answer
 * that goes on, whose own bounds hold.
 */
type Stage = 'silent' | 'answering' | 'taking' | 'streaming';

interface HttpConnection {
  readonly socket: Socket;
  /** Its client, among others that are the same one. */
  readonly from: string;
  readonly isLocal: boolean;
  /** The turn in which it came. */
  readonly turn: number;
  stage: Stage;
  late?: NodeJS.Timeout;
}

/**
 * Who may stay connected. Everybody may come in; when there are too many, the client that has most connections loses one:
 * its oldest that is silent, else its oldest that does not read, else its oldest that waits for an answer. A connection is heard once before it may be chosen, so a flood
 * takes no place from a probe, which sends its request at once.
 */
export class HttpAdmission {
  readonly #places = new Map<Socket, HttpConnection>();
  #turn = 0;
  #isSettling = false;

  get size(): number {
    return this.#places.size;
  }

  enter(socket: Socket): void {
    const place: HttpConnection = { socket, ...clientOf(socket), turn: this.#turn, stage: 'silent' };
    this.#places.set(socket, place);
    socket.once('close', () => this.#leave(place));
    const turn = this.#turn;
    // Who only waits for a long answer goes before one that has just come: else those who ask for many keep everybody out.
    for (const mayGo of [(one: HttpConnection) => one.turn < turn, (one: HttpConnection) => one !== place])
      if (this.#places.size > MOST.crowd) this.#relieve([...this.#places.values()], MOST.crowd, mayGo);
    if (this.#places.size > MOST.crowd) this.#drop(place);
    if (this.#places.size > MOST.silent) this.#settleSoon();
  }

  /** The request is whole, and its answer is looked for. */
  answering(socket: Socket): void {
    const place = this.#places.get(socket);
    if (place === undefined) return;
    place.stage = 'answering';
    place.late = setTimeout(() => socket.destroy(), ANSWER_MS).unref();
  }

  /** The answer has been handed over whole. */
  taking(socket: Socket): void {
    const place = this.#places.get(socket);
    if (place !== undefined) place.stage = 'taking';
  }

  /** The answer has no end of its own, and no time limit of ours. */
  streaming(socket: Socket): void {
    const place = this.#places.get(socket);
    if (place === undefined) return;
    place.stage = 'streaming';
    clearTimeout(place.late);
  }

  #settleSoon(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    setImmediate(() => this.#settle());
  }

  /** Runs after the turn's reading: what came before this turn has been read at least once. */
  #settle(): void {
    this.#isSettling = false;
    const now = this.#turn;
    this.#turn += 1;
    const isHeard = (place: HttpConnection) => place.turn < now;
    for (const [most, isOf] of BOUNDS) {
      const crowd = [...this.#places.values()].filter(isOf);
      const left = this.#relieve(crowd, most, isHeard);
      // It is their turn next.
      if (left > 0 && crowd.some((place) => !isHeard(place))) this.#settleSoon();
    }
  }

  /** Drops those of a crowd that are too many. @returns how many still are */
  #relieve(crowd: readonly HttpConnection[], most: number, mayGo: (place: HttpConnection) => boolean): number {
    let over = crowd.length - most;
    if (over <= 0) return 0;
    const clients = new Map<string, HttpClient>();
    for (const place of crowd) {
      const client = clients.get(place.from) ?? { connections: 0, silent: [], taking: [], answering: [] };
      clients.set(place.from, client);
      client.connections += 1;
      if (place.stage !== 'streaming' && mayGo(place)) client[place.stage].push(place);
    }
    for (; over > 0; over -= 1) {
      const client = mostCrowded(clients.values());
      const place = client?.silent.shift() ?? client?.taking.shift() ?? client?.answering.shift();
      if (client === undefined || place === undefined) break;
      client.connections -= 1;
      this.#drop(place);
    }
    return over;
  }

  #drop(place: HttpConnection): void {
    this.#leave(place);
    place.socket.destroy();
  }

  #leave(place: HttpConnection): void {
    clearTimeout(place.late);
    this.#places.delete(place.socket);
  }
}

const BOUNDS: readonly (readonly [most: number, isOf: (place: HttpConnection) => boolean])[] = [
  [MOST.silent, ({ stage }) => stage === 'silent'],
  [MOST.elsewhere, ({ isLocal }) => !isLocal],
  [MOST.all, () => true],
];

interface HttpClient {
  connections: number;
  /** Those that may go, the oldest first. */
  readonly silent: HttpConnection[];
  readonly taking: HttpConnection[];
  readonly answering: HttpConnection[];
}

/** The client with most connections of those that can lose one; among equals one that has a silent one, the first that came. */
function mostCrowded(clients: Iterable<HttpClient>): HttpClient | undefined {
  let chosen: HttpClient | undefined;
  for (const client of clients) {
    if (client.silent.length + client.taking.length + client.answering.length === 0) continue;
    if (chosen === undefined || client.connections > chosen.connections) chosen = client;
    else if (client.connections === chosen.connections && onlyReads(chosen) && client.silent.length > 0)
      chosen = client;
  }
  return chosen;
}

function onlyReads({ silent, answering }: HttpClient): boolean {
  return silent.length + answering.length === 0;
}

/** A Unix socket has no address: who may open its file is on this machine. An IPv6 client has a /64 to choose addresses from. */
function clientOf({ remoteAddress }: Socket): Pick<HttpConnection, 'from' | 'isLocal'> {
  if (remoteAddress === undefined) return { from: 'unix', isLocal: true };
  const ip = plainIp(remoteAddress);
  if (ip === '::1') return { from: ip, isLocal: true };
  if (!ip.includes(':')) return { from: ip, isLocal: ip.startsWith('127.') };
  return { from: ipv6Bytes(ip).toString('hex', 0, 8), isLocal: false };
}
