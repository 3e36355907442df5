import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type { ProxyEnds } from '../core/proxy-header.ts';
import type { Leg } from '../transport/leg.ts';
import { ProxyAccept, type ProxyAcceptFailure, type ProxyAcceptOwner } from '../transport/proxy-accept.ts';
import { TlsAccept, type TlsAcceptOwner, type TlsAcceptSettings, type TlsFailure } from '../transport/tls-accept.ts';
import type { TlsPeer } from '../transport/tls-peer.ts';
import type { Account } from './account.ts';
import type { Preface } from './preface.ts';

/** What a client has to show before a candidate is looked for. */
export interface EntranceSettings {
  /** Default: clients speak plainly. */
  readonly accepting?: TlsAcceptSettings | undefined;
  /** Clients send a PROXY protocol header first; default: false. */
  readonly acceptProxyProtocol?: boolean | undefined;
  /** For the header; TLS has its own. */
  readonly dialing: { readonly connectTimeoutMs: number };
  /** Whether clients come in over a Unix socket. */
  readonly unixClients: boolean;
}

/** Hears how it ended; exactly one of the two, once, and none after `abort`. */
export interface EntranceOwner {
  /** @param leg what the client is spoken with from now on; its owner is still to be set */
  entered(leg: Leg): void;
  /**
   * @param leg of the client, which is still to be closed, or has been
   * @param refusal.byReset so that nobody takes the end for an answer that was empty
   */
  notEntered(leg: Leg, refusal: Refusal): void;
}

export interface Refusal {
  readonly endedBy: EndedBy;
  readonly reason: CloseReason;
  readonly byReset: boolean;
}

type State =
  | { readonly phase: 'header'; readonly accept: ProxyAccept }
  | { readonly phase: 'handshaking'; readonly accept: TlsAccept }
  | { readonly phase: 'over' };

/** One client's way in: its PROXY header, then its TLS handshake, where a service asks for them. */
export class Entrance implements ProxyAcceptOwner, TlsAcceptOwner {
  readonly #settings: EntranceSettings;
  readonly #account: Account;
  readonly #preface: Preface | undefined;
  readonly #owner: EntranceOwner;
  #leg: Leg;
  #state: State = { phase: 'over' };

  constructor(options: {
    readonly leg: Leg;
    readonly settings: EntranceSettings;
    readonly account: Account;
    /** Told who the client is. */
    readonly preface: Preface | undefined;
    readonly owner: EntranceOwner;
  }) {
    this.#leg = options.leg;
    this.#settings = options.settings;
    this.#account = options.account;
    this.#preface = options.preface;
    this.#owner = options.owner;
  }

  get phase(): 'header' | 'handshaking' | 'over' {
    return this.#state.phase;
  }

  start(): void {
    const { acceptProxyProtocol, dialing } = this.#settings;
    if (acceptProxyProtocol !== true) {
      this.#shakeHands();
      return;
    }
    const accept = new ProxyAccept({ leg: this.#leg, timeoutMs: dialing.connectTimeoutMs, owner: this });
    this.#state = { phase: 'header', accept };
    accept.start();
  }

  /** Ends it without a word. @returns the client's leg, which is still to be closed, or has been */
  abort(): Leg {
    const state = this.#state;
    this.#state = { phase: 'over' };
    if (state.phase === 'handshaking') return state.accept.abort();
    if (state.phase === 'header') state.accept.abort();
    return this.#leg;
  }

  headerRead(ends: ProxyEnds | undefined): void {
    if (this.#state.phase !== 'header') return;
    if (ends !== undefined) {
      this.#account.carried(ends.source);
      this.#preface?.carried(ends);
    }
    this.#shakeHands();
  }

  headerFailed(failure: ProxyAcceptFailure): void {
    if (failure.kind !== 'refused') {
      const reason = failure.kind === 'gone' ? 'client_gone' : 'client_error';
      this.#refuse(this.#leg, { endedBy: 'client', reason, byReset: false });
      return;
    }
    this.#account.headerRefused(failure.code);
    const reason = failure.code === 'TIMEOUT' ? 'proxy_header_timeout' : 'proxy_header_invalid';
    this.#refuse(this.#leg, { endedBy: 'attache', reason, byReset: true });
  }

  secured(leg: Leg, peer: TlsPeer): void {
    if (this.#state.phase !== 'handshaking') return;
    this.#account.secured(peer);
    this.#preface?.secured(peer);
    this.#enter(leg);
  }

  notSecured(leg: Leg, { kind, endedBy, code, peer }: TlsFailure): void {
    this.#account.tlsFailed({ side: 'client', address: this.#account.client, code, peer });
    const reason = kind === 'peer' ? 'tls_peer_refused' : 'tls_handshake_failed';
    // Never the plain leg below a TLS one, see `TlsLeg.reset`.
    this.#refuse(leg, { endedBy, reason, byReset: false });
  }

  #shakeHands(): void {
    const { accepting, unixClients } = this.#settings;
    if (accepting === undefined) {
      this.#enter(this.#leg);
      return;
    }
    const accept = new TlsAccept({ leg: this.#leg, canReset: !unixClients, settings: accepting, owner: this });
    this.#state = { phase: 'handshaking', accept };
    accept.start();
  }

  #enter(leg: Leg): void {
    this.#state = { phase: 'over' };
    this.#owner.entered(leg);
  }

  #refuse(leg: Leg, refusal: Refusal): void {
    this.#state = { phase: 'over' };
    this.#owner.notEntered(leg, refusal);
  }
}
