import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { reservePorts } from './ports.ts';

/** A TCP relay that does to connections what networks do. */
export interface TcpCutter {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Client connections that are open now. */
  readonly open: number;
  /** Resets every connection; new ones pass. */
  cut(): void;
  /** Moves no byte any more on one open connection, the n-th accepted of those open, from 0; it stays open. */
  silence(index: number): void;
  /** Resets one connection as soon as it is accepted: the n-th from now, from 0. */
  resetOnAccept(n: number): void;
  /** Resets every connection and refuses new ones, until `pass`. */
  refuse(): Promise<void>;
  /** Keeps every connection open and moves no byte; accepts new ones and never answers them, until `pass`. */
  blackHole(): void;
  /** Lets new connections pass; those from the black hole are reset. */
  pass(): Promise<void>;
}

/** Starts a relay to `targetPort` on loopback; it ends with the test. */
export async function startTcpCutter(t: TestContext, targetPort: number): Promise<TcpCutter> {
  const reserved = await reservePorts(1);
  const cutter = new Cutter(reserved.ports[0] ?? 0, targetPort);
  t.after(async () => cutter.refuse());
  await reserved.release();
  await cutter.pass();
  return cutter;
}

class Cutter implements TcpCutter {
  readonly port: number;
  readonly #targetPort: number;
  /** Each with its connection to the target; in a black hole there is none. */
  readonly #clients = new Map<Socket, Socket | undefined>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #accepted = 0;
  #swallow = false;
  #doomed: number | undefined;

  constructor(port: number, targetPort: number) {
    this.port = port;
    this.#targetPort = targetPort;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get open(): number {
    return this.#clients.size;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  silence(index: number): void {
    const client = [...this.#clients.keys()][index];
    const target = client && this.#clients.get(client);
    if (client === undefined || target === undefined) throw new Error(`there is no connection ${index}`);
    for (const socket of [client, target]) socket.unpipe().pause();
  }

  resetOnAccept(n: number): void {
    this.#doomed = this.#accepted + n;
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server.close(), 'close');
    this.cut();
    await closed;
  }

  blackHole(): void {
    this.#swallow = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async pass(): Promise<void> {
    if (this.#swallow) this.cut();
    this.#swallow = false;
    if (this.#server !== undefined) return;
    this.#server = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #accept(client: Socket): void {
    const doomed = this.#accepted === this.#doomed;
    this.#accepted += 1;
    this.#clients.set(client, undefined);
    this.#track(client);
    client.once('close', () => this.#clients.delete(client));
    if (doomed) {
      client.resetAndDestroy();
      return;
    }
    if (this.#swallow) {
      // Reads, to notice when the client leaves; never answers.
      client.resume();
      return;
    }
    const target = connect({ port: this.#targetPort, host: '127.0.0.1' });
    this.#clients.set(client, target);
    this.#track(target);
    client.pipe(target);
    target.pipe(client);
    // One side that is gone takes the other with it.
    client.once('close', () => target.destroy());
    target.once('close', () => client.destroy());
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
