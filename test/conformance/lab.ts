import type { TestContext } from 'node:test';
import type { Address } from '../../src/core/address.ts';
import type { CloseReason, EndedBy } from '../../src/core/close-reason.ts';
import { permitAll } from '../../src/core/dial-policy.ts';
import type { ProxyEnds } from '../../src/core/proxy-header.ts';
import type {
  Client,
  ClientOwner,
  DialedCandidate,
  DialOwner,
  DialSettings,
  Engine,
  HandshakeOwner,
  HandshakeSettings,
  Listener,
  ListenerOwner,
  Rejection,
  Relay,
  TlsPeer,
} from '../../src/transport/engine.ts';
import { systemResolver } from '../../src/names/system-resolver.ts';
import { eventually } from '../support/wait.ts';

const LOOPBACK: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };
const PLAIN: HandshakeSettings = { proxyHeader: false, tls: undefined, timeoutMs: 5_000 };

/** What an engine has told of one client, in order. */
export class HeardClient implements ClientOwner {
  readonly client: Client;
  readonly told: string[] = [];

  constructor(client: Client) {
    this.client = client;
    client.owner = this;
  }

  faulted(error: unknown): never {
    throw error;
  }

  clientEnded(): void {
    this.told.push('ended');
  }

  clientFailed(_client: Client, errno: string): void {
    this.told.push(`failed ${errno}`);
  }

  clientClosed(): void {
    this.told.push('closed');
  }
}

/** The answers of one handshake, in order. */
export class HeardHandshake implements HandshakeOwner {
  readonly answers: ('accepted' | 'rejected')[] = [];
  ends: ProxyEnds | undefined;
  headers = 0;
  tls: TlsPeer | undefined;
  rejection: Rejection | undefined;

  faulted(error: unknown): never {
    throw error;
  }

  headerRead(ends: ProxyEnds | undefined): void {
    this.headers += 1;
    this.ends = ends;
  }

  accepted(tls: TlsPeer | undefined): void {
    this.answers.push('accepted');
    this.tls = tls;
  }

  rejected(rejection: Rejection): void {
    this.answers.push('rejected');
    this.rejection = rejection;
  }
}

/** The answers of one dial, in order: `ok`, or the errno and the stage. */
export class HeardDial implements DialOwner {
  readonly preface: Buffer | undefined;
  readonly answers: string[] = [];
  candidate: DialedCandidate | undefined;

  constructor(preface?: Buffer) {
    this.preface = preface;
  }

  faulted(error: unknown): never {
    throw error;
  }

  dialed(candidate: DialedCandidate): void {
    this.answers.push('ok');
    this.candidate = candidate;
  }

  dialFailed(errno: string, stage = 'connect'): void {
    this.answers.push(`${errno} ${stage}`);
  }

  /** @throws when it has not answered within the usual time, or has failed */
  async reached(): Promise<DialedCandidate> {
    await eventually(() => this.answers.length > 0, 'the dial has answered');
    if (this.candidate === undefined) throw new Error(`the dial failed: ${this.answers.join(', ')}`);
    return this.candidate;
  }
}

/** One listener, and the clients it has told of. */
export interface Front {
  readonly listener: Listener;
  readonly port: number;
  readonly clients: readonly HeardClient[];
  readonly failures: readonly string[];
  /** The n-th client, from 1. */
  client(n?: number): Promise<HeardClient>;
}

/** A relay, and how it ended. */
export interface Carried {
  readonly relay: Relay;
  readonly closed: readonly (readonly [EndedBy, CloseReason])[];
}

/** What a conformance test does with an engine. */
export class Lab {
  readonly engine: Engine;
  readonly #t: TestContext;

  constructor(t: TestContext, engine: Engine) {
    this.#t = t;
    this.engine = engine;
  }

  /** Listens, and waits until it does. */
  async listen(
    handshake: Partial<HandshakeSettings> = {},
    address = LOOPBACK,
    onClient: (client: Client) => void = () => undefined,
  ): Promise<Front> {
    const front = this.open(handshake, address, onClient);
    await eventually(() => front.listener.address !== undefined, 'it listens');
    return front;
  }

  /** Begins to listen. */
  open(
    handshake: Partial<HandshakeSettings> = {},
    address = LOOPBACK,
    onClient: (client: Client) => void = () => undefined,
  ): Front {
    const clients: HeardClient[] = [];
    const failures: string[] = [];
    const owner: ListenerOwner = {
      client(client) {
        clients.push(new HeardClient(client));
        onClient(client);
      },
      listening: () => undefined,
      listenFailed: (errno) => failures.push(errno),
      acceptFailed: (errno) => failures.push(errno),
    };
    const listener = this.engine.listener({
      address,
      family: 4,
      resolver: systemResolver(),
      keepAliveMs: 0,
      handshake: { ...PLAIN, ...handshake },
      owner,
    });
    this.#t.after(() => {
      listener.close();
      for (const { client } of clients) client.destroy();
    });
    listener.open();
    return {
      listener,
      get port() {
        return listener.address?.kind === 'tcp' ? listener.address.port : 0;
      },
      clients,
      failures,
      async client(n = 1) {
        await eventually(() => clients.length >= n, `client ${n} has come`);
        const found = clients[n - 1];
        if (found === undefined) throw new Error('no such client');
        return found;
      },
    };
  }

  /** Usual ones, but for what is given. */
  dialSettings(settings: Partial<DialSettings>): DialSettings {
    return {
      connectTimeoutMs: 5_000,
      keepAliveMs: 0,
      family: 4,
      policy: permitAll,
      resolver: systemResolver(),
      ...settings,
    };
  }

  /** Begins a dial; its candidate goes with the test. */
  dial(address: Address, settings: Partial<DialSettings> = {}, preface?: Buffer): HeardDial & { abort(): void } {
    const owner = new HeardDial(preface);
    const dial = this.engine.dial(address, this.dialSettings(settings), owner);
    this.#t.after(() => {
      dial.abort();
      owner.candidate?.destroy();
    });
    dial.start();
    return Object.assign(owner, { abort: () => dial.abort() });
  }

  /** Ties a client to a candidate. */
  carry(client: Client, candidate: DialedCandidate): Carried {
    const closed: (readonly [EndedBy, CloseReason])[] = [];
    const relay = this.engine.relay({
      client,
      candidate,
      onClosed: (endedBy, reason) => closed.push([endedBy, reason]),
    });
    this.#t.after(() => relay.abort('shutdown'));
    relay.start();
    return { relay, closed };
  }
}
