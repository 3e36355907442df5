import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { FaultyFlow, type Fault } from './faulty-flow.ts';
import { reservePorts } from './ports.ts';

export type { Fault } from './faulty-flow.ts';

/** A TCP proxy on a fixed loopback port that does to connections what networks and broken servers do. */
export interface FaultProxy {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Client connections that are open now. */
  readonly open: number;
  /** Changes what is done from now on. Open connections are told as well, except that `reset-on-accept` leaves them. */
  set(fault: Fault): Promise<void>;
  /** Resets every open connection; the mode stays. */
  resetAll(): void;
  /** Moves no byte any more on one open connection, the n-th accepted of those open, from 0; it stays open. */
  silence(index: number): void;
  /** Resets one connection as soon as it is accepted: the n-th from now, from 0; the mode stays. */
  resetNth(n: number): void;
}

/** Starts a fault proxy to `targetPort` on loopback, in mode `pass`; it ends with the test. */
export async function startFaultProxy(t: TestContext, targetPort: number): Promise<FaultProxy> {
  const reserved = await reservePorts(1);
  const proxy = new RealFaultProxy(reserved.ports[0] ?? 0, targetPort);
  t.after(async () => proxy.set({ mode: 'refuse' }));
  await reserved.release();
  await proxy.set({ mode: 'pass' });
  return proxy;
}

class RealFaultProxy implements FaultProxy {
  readonly port: number;
  readonly #targetPort: number;
  /** Each with what carries it; a swallowed one has none. */
  readonly #clients = new Map<Socket, FaultyFlow | undefined>();
  #fault: Fault = { mode: 'refuse' };
  #server: Server | undefined;
  #accepted = 0;
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

  async set(fault: Fault): Promise<void> {
    const was = this.#fault.mode;
    this.#fault = fault;
    if (fault.mode === 'refuse') {
      await this.#unlisten();
      return;
    }
    // What was swallowed is lost: such a connection cannot be carried on.
    if (was === 'accept-and-swallow' && fault.mode !== was) this.resetAll();
    for (const flow of this.#clients.values()) flow?.suffer(fault);
    await this.#listen();
  }

  resetAll(): void {
    for (const [client, flow] of this.#clients) {
      if (flow === undefined) client.resetAndDestroy();
      else flow.reset();
    }
  }

  silence(index: number): void {
    const flow = [...this.#clients.values()][index];
    if (flow === undefined) throw new Error(`there is no connection ${index} that is carried`);
    flow.silence();
  }

  resetNth(n: number): void {
    this.#doomed = this.#accepted + n;
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => this.#accept(client));
    this.#server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server.close(), 'close');
    this.resetAll();
    await closed;
  }

  #accept(client: Socket): void {
    const doomed = this.#accepted === this.#doomed || this.#fault.mode === 'reset-on-accept';
    this.#accepted += 1;
    client.on('error', () => undefined);
    // One that the kernel had accepted when the listener was closed.
    if (doomed || this.#fault.mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    this.#clients.set(client, undefined);
    client.once('close', () => this.#clients.delete(client));
    if (this.#fault.mode === 'accept-and-swallow') {
      // Reads, to notice when the client leaves; never answers.
      client.on('end', () => client.destroy()).resume();
      return;
    }
    const target = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#clients.set(client, new FaultyFlow({ client, target, fault: this.#fault }));
  }
}
