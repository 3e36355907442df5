import type { TLSSocket } from 'node:tls';
import { errnoOf } from '../core/errors.ts';
import type { TlsMaterial } from '../identity/material.ts';
import type { Entrant, Gate } from './gate.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import type { Leg, LegOwner } from './leg.ts';
import { TlsLeg } from './tls-leg.ts';
import { judgePeer, type PeerCheck, type TlsPeer } from './tls-peer.ts';
import { nodeTls } from './node-tls.ts';

/** How clients of a service are let in by TLS. One object per service. */
export interface TlsAcceptSettings {
  /** What new connections use; undefined while there is none. */
  readonly material: () => TlsMaterial | undefined;
  /** Whether clients must show a certificate. */
  readonly clientAuth: 'require' | 'none';
  readonly peers: PeerCheck;
  /** From accept to the end of the handshake. */
  readonly timeoutMs: number;
  readonly gate: Gate;
}

export interface TlsFailure {
  /** `peer`: the handshake was done, or could have been, but not with this peer. */
  readonly kind: 'handshake' | 'peer';
  readonly endedBy: 'client' | 'attache';
  /** OpenSSL's or Node's code, an errno name, `TIMEOUT`, `EOF`, `NOT_ALLOWED` or `NO_MATERIAL`. */
  readonly code: string;
  /** The name of a peer that was refused. */
  readonly peer?: string | undefined;
}

/** Hears how a handshake ended; exactly one of the two, once, and none after `abort`. */
export interface TlsAcceptOwner {
  secured(leg: Leg, peer: TlsPeer): void;
  /** @param leg of the client, which is still to be closed, or has been */
  notSecured(leg: Leg, failure: TlsFailure): void;
}

export interface TlsAcceptOptions {
  /** The plain leg of an accepted socket; it is taken over. */
  readonly leg: Leg;
  readonly canReset: boolean;
  readonly settings: TlsAcceptSettings;
  readonly owner: TlsAcceptOwner;
}

/** How many handshakes of one service may be under way at once; the clients beyond them wait, unread. */
export const MAX_HANDSHAKES = 256;

const MISSING = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/**
 * The handshake with one client. It takes one of the service's places only once the client has sent a byte, so that
 * silent clients keep nobody out.
 */
export class TlsAccept implements LegOwner, Entrant {
  readonly #options: TlsAcceptOptions;
  readonly #timer: NodeJS.Timeout;
  #place: 'none' | 'waiting' | 'inside' = 'none';
  #code = 'EOF';
  #over = false;
  #isFaultTold = false;
  #leg: Leg;

  constructor(options: TlsAcceptOptions) {
    this.#options = options;
    this.#leg = options.leg;
    this.#timer = setTimeout(onTimeout, options.settings.timeoutMs, this);
  }

  start(): void {
    const { leg, settings } = this.#options;
    leg.owner = this;
    leg.socket.once('readable', () => {
      // An end without a byte makes it readable, too.
      if (this.#over || leg.ended || leg.socket.readableLength === 0) return;
      this.#place = 'waiting';
      settings.gate.come(this);
    });
    leg.peek();
  }

  /** Ends it without a word. @returns the client's leg, which is still to be closed, or has been */
  abort(): Leg {
    this.#end();
    return this.#leg;
  }

  timedOut(): void {
    this.#fail({ kind: 'handshake', endedBy: 'attache', code: 'TIMEOUT' });
  }

  legEnded(): void {
    this.#fail({ kind: 'handshake', endedBy: 'client', code: this.#code });
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.#failed(errnoOf(error));
  }

  legClosed(leg: Leg): void {
    if (leg === this.#leg) this.#failed(this.#code);
  }

  enter(): void {
    this.#place = 'inside';
    const { leg, canReset, settings } = this.#options;
    const material = settings.material();
    if (material === undefined) {
      this.#fail({ kind: 'handshake', endedBy: 'attache', code: 'NO_MATERIAL' });
      return;
    }
    const isRequired = settings.clientAuth === 'require';
    const socket = new (nodeTls().TLSSocket)(leg.socket, {
      isServer: true,
      secureContext: material.secureContext,
      requestCert: isRequired,
      // Refuses a client without a certificate inside the handshake; what is wrong with one is for us to look at.
      rejectUnauthorized: isRequired,
      // Not in the types: it goes to the stream.
      ...{ highWaterMark: WRITE_HIGH_WATER_BYTES },
    });
    socket.disableRenegotiation();
    const secure = new TlsLeg({ socket, plain: leg, canReset, owner: this });
    this.#leg = secure;
    // `tls.Server` listens to the same two; a bare socket has no public ones.
    socket.on('_tlsError', (error: unknown) => {
      this.#code = errnoOf(error);
      if (!this.#over || this.#isFaultTold) return;
      // Later than the handshake Node tells nobody else, and leaves the socket open. It repeats here what it is told.
      this.#isFaultTold = true;
      // Not at once: this is called while Node still reads from what the reset that follows would free.
      setImmediate(() => {
        if (!socket.destroyed) socket.emit('error', error);
      });
    });
    socket.once('secure', () => this.#secured(secure, socket));
  }

  #secured(leg: TlsLeg, socket: TLSSocket): void {
    if (this.#over) return;
    const { settings, owner } = this.#options;
    const fault = settings.clientAuth === 'require' ? chainFault(socket) : undefined;
    const verdict = fault === undefined ? judgePeer(socket, settings.peers) : ({ ok: false, code: fault } as const);
    if (!verdict.ok) {
      const certificate = socket.getPeerX509Certificate();
      const peer = certificate && settings.peers.nameOf(certificate);
      this.#fail({ kind: 'peer', endedBy: 'attache', code: verdict.code, peer });
      return;
    }
    this.#end();
    leg.end.mark();
    owner.secured(leg, verdict.peer);
  }

  #failed(code: string): void {
    this.#fail({ kind: code === MISSING ? 'peer' : 'handshake', endedBy: endedBy(code), code });
  }

  #fail(failure: TlsFailure): void {
    if (this.#over) return;
    this.#end();
    this.#options.owner.notSecured(this.#leg, failure);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    const { gate } = this.#options.settings;
    if (this.#place === 'inside') gate.leave();
    else if (this.#place === 'waiting') gate.giveUp(this);
    this.#place = 'none';
  }
}

/** What is wrong with the client's chain; a client without one, or of whom nothing can be said, is at fault as well. */
function chainFault(socket: TLSSocket): string | undefined {
  if (socket.getPeerX509Certificate() === undefined) return MISSING;
  const { ssl } = socket as TLSSocket & { readonly ssl?: { verifyError?: () => Error | null | undefined } | null };
  if (typeof ssl?.verifyError !== 'function') return 'UNVERIFIED';
  const error = ssl.verifyError();
  return error === null || error === undefined ? undefined : errnoOf(error);
}

function endedBy(code: string): 'client' | 'attache' {
  return code === 'EOF' || code === 'ECONNRESET' || code === 'EPIPE' ? 'client' : 'attache';
}

function onTimeout(accept: TlsAccept): void {
  accept.timedOut();
}
