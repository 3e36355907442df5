import type { Socket } from 'node:net';
import type { Contained } from '../../core/contained.ts';
import { errnoOf } from '../../core/errors.ts';
import type { ProxyEnds } from '../../core/proxy-header.ts';
import type { Client, ClientOwner, Handshake, HandshakeOwner, HandshakeSettings } from '../engine.ts';
import { ClientHandshake, type HandshakeClient } from './client-handshake.ts';
import { Leg, type LegOwner } from './leg.ts';
import { clientName, endsOf } from './socket-ends.ts';

export interface AcceptedClientOptions {
  readonly socket: Socket;
  readonly isUnix: boolean;
  readonly settings: HandshakeSettings;
}

const nobody: ClientOwner = {
  faulted: (error) => {
    throw error;
  },
  clientEnded: () => undefined,
  clientFailed: () => undefined,
  clientClosed: () => undefined,
};

/** A client of Node's sockets. Its leg is the plain one until TLS is put on it. */
export class AcceptedClient implements Client, HandshakeClient, LegOwner, Contained {
  owner: ClientOwner = nobody;
  readonly name: string;
  readonly isUnix: boolean;
  readonly #socket: Socket;
  readonly #settings: HandshakeSettings;
  #leg: Leg;

  constructor({ socket, isUnix, settings }: AcceptedClientOptions) {
    this.name = isUnix ? 'unix' : clientName(socket);
    this.isUnix = isUnix;
    this.#socket = socket;
    this.#settings = settings;
    this.#leg = new Leg(socket, this, !isUnix);
    this.#leg.connection = this;
  }

  get leg(): Leg {
    return this.#leg;
  }

  get ends(): ProxyEnds | undefined {
    return endsOf(this.#socket);
  }

  get earlyBytes(): number {
    return this.#leg.earlyBytes;
  }

  get closed(): boolean {
    return this.#leg.closed;
  }

  handshake(owner: HandshakeOwner): Handshake {
    return new ClientHandshake({ client: this, settings: this.#settings, owner });
  }

  /** Its events are this client's from now on. @param leg what it is spoken with: the plain leg, or the one of TLS on it */
  take(leg: Leg): void {
    this.#leg = leg;
    leg.owner = this;
  }

  collect(): void {
    this.#leg.collect();
  }

  probe(): void {
    this.#leg.probe();
  }

  reset(): void {
    this.#leg.reset();
  }

  destroy(): void {
    this.#leg.destroy();
  }

  faulted(error: unknown): void {
    this.owner.faulted(error);
  }

  legEnded(): void {
    this.owner.clientEnded(this);
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.owner.clientFailed(this, errnoOf(error));
  }

  legClosed(): void {
    this.owner.clientClosed(this);
  }
}
