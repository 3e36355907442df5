import type { ProxyEnds } from '../../core/proxy-header.ts';
import type { Handshake, HandshakeOwner, HandshakeSettings, Rejection, TlsFailure, TlsPeer } from '../engine.ts';
import type { Leg } from './leg.ts';
import { ProxyAccept, type ProxyAcceptFailure, type ProxyAcceptOwner } from './proxy-accept.ts';
import { TlsAccept, type TlsAcceptOwner } from './tls-accept.ts';

/** The client as its handshake sees it. */
export interface HandshakeClient {
  readonly leg: Leg;
  readonly isUnix: boolean;
  /** @param leg what the client is spoken with from now on */
  take(leg: Leg): void;
}

type State =
  | { readonly phase: 'header'; readonly accept: ProxyAccept }
  | { readonly phase: 'handshaking'; readonly accept: TlsAccept }
  | { readonly phase: 'over' };

/** One client's way in: its PROXY header, then its TLS handshake, where a service asks for them. */
export class ClientHandshake implements Handshake, ProxyAcceptOwner, TlsAcceptOwner {
  readonly #client: HandshakeClient;
  readonly #settings: HandshakeSettings;
  readonly #owner: HandshakeOwner;
  #state: State = { phase: 'over' };

  constructor(options: {
    readonly client: HandshakeClient;
    readonly settings: HandshakeSettings;
    readonly owner: HandshakeOwner;
  }) {
    this.#client = options.client;
    this.#settings = options.settings;
    this.#owner = options.owner;
  }

  get phase(): Handshake['phase'] {
    return this.#state.phase;
  }

  start(): void {
    const { proxyHeader, timeoutMs } = this.#settings;
    if (!proxyHeader) {
      this.#shakeHands();
      return;
    }
    const accept = new ProxyAccept({ leg: this.#client.leg, timeoutMs, owner: this });
    this.#state = { phase: 'header', accept };
    accept.start();
  }

  abort(): void {
    const state = this.#state;
    this.#state = { phase: 'over' };
    if (state.phase === 'handshaking') {
      this.#client.take(state.accept.abort());
    } else if (state.phase === 'header') {
      state.accept.abort();
      this.#client.take(this.#client.leg);
    }
  }

  headerRead(ends: ProxyEnds | undefined): void {
    if (this.#state.phase !== 'header') return;
    this.#owner.headerRead(ends);
    // What the owner does with it may have ended this.
    if (this.#isOver) return;
    this.#shakeHands();
  }

  headerFailed(failure: ProxyAcceptFailure): void {
    this.#reject(this.#client.leg, failure.kind === 'refused' ? { kind: 'header', code: failure.code } : failure);
  }

  secured(leg: Leg, peer: TlsPeer): void {
    if (this.#state.phase === 'handshaking') this.#accept(leg, peer);
  }

  notSecured(leg: Leg, failure: TlsFailure): void {
    // Never the plain leg below a TLS one, see `TlsLeg.reset`.
    this.#reject(leg, { kind: 'tls', failure });
  }

  get #isOver(): boolean {
    return this.#state.phase === 'over';
  }

  #shakeHands(): void {
    const { tls } = this.#settings;
    const { leg, isUnix } = this.#client;
    if (tls === undefined) {
      this.#accept(leg, undefined);
      return;
    }
    const accept = new TlsAccept({ leg, canReset: !isUnix, settings: tls, owner: this });
    this.#state = { phase: 'handshaking', accept };
    accept.start();
  }

  #accept(leg: Leg, tls: TlsPeer | undefined): void {
    this.#state = { phase: 'over' };
    this.#client.take(leg);
    this.#owner.accepted(tls);
  }

  #reject(leg: Leg, rejection: Rejection): void {
    this.#state = { phase: 'over' };
    this.#client.take(leg);
    this.#owner.rejected(rejection);
  }
}
