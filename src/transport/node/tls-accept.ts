import type { TLSSocket } from 'node:tls';
import { contained, containing } from '../../core/contained.ts';
import type { FailureCode } from '../../core/dial-failure.ts';
import { errnoOf, isPeerReset } from '../../core/errors.ts';
import { TimeLimit } from '../../core/time-limit.ts';
import type { PeerCheck, TlsAcceptSettings, TlsFailure, TlsPeer } from '../engine.ts';
import type { QueuedHandshake } from '../handshakes.ts';
import type { PeerVerdict } from '../peer-verdict.ts';
import { isWorthReading } from './client-hello.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import type { Leg, LegOwner } from './leg.ts';
import { chainFaultOf, onServerHandshake, tlsStreamOptions } from './internals.ts';
import { tellAlert } from './tls-alert.ts';
import { TlsLeg } from './tls-leg.ts';
import { judgePeer } from './tls-peer.ts';
import { nodeTls } from './node-tls.ts';

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

const GONE: TlsFailure = { kind: 'gone', endedBy: 'client', code: 'EOF' };
const MISSING = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** The handshake with one client. It begins once the client's hello is whole: until then it costs next to nothing. */
export class TlsAccept implements LegOwner, QueuedHandshake {
  readonly #options: TlsAcceptOptions;
  readonly #limit: TimeLimit<TlsAccept>;
  readonly #onReadable = (): void => containing(this, () => this.#read());
  /** What has come of the hello. */
  #held: Buffer[] = [];
  #code: FailureCode = 'EOF';
  #over = false;
  #isFaultTold = false;
  #leg: Leg;

  constructor(options: TlsAcceptOptions) {
    this.#options = options;
    this.#leg = options.leg;
    this.#limit = new TimeLimit<TlsAccept>(options.settings.timeoutMs, onTimeout, this);
  }

  start(): void {
    const { leg } = this.#options;
    leg.owner = this;
    leg.socket.on('readable', this.#onReadable);
    leg.peek();
  }

  /** Ends it without a word. @returns the client's leg, which is still to be closed, or has been */
  abort(): Leg {
    this.#end();
    return this.#leg;
  }

  faulted(error: unknown): void {
    this.#leg.faulted(error);
  }

  timedOut(): void {
    this.#fail({ kind: 'handshake', endedBy: 'attache', code: 'TIMEOUT' });
  }

  legEnded(): void {
    if (this.#isSilent) this.#fail(GONE);
    else this.#fail({ kind: 'handshake', endedBy: 'client', code: this.#code });
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    if (isPeerReset(errnoOf(error)) && this.#isSilent) this.#fail(GONE);
    else this.#failed(errnoOf(error));
  }

  legClosed(leg: Leg): void {
    if (leg !== this.#leg) return;
    if (this.#isSilent) this.#fail(GONE);
    else this.#failed(this.#code);
  }

  giveWay(): void {
    this.#fail({ kind: 'handshake', endedBy: 'attache', code: 'CROWDED_OUT' });
  }

  begin(): void {
    const [hello] = this.#held;
    this.#held = [];
    const { leg, canReset, settings } = this.#options;
    const material = settings.material();
    if (material === undefined) {
      this.#fail({ kind: 'handshake', endedBy: 'attache', code: 'NO_MATERIAL' });
      return;
    }
    // TLS is given what is in the socket's memory.
    if (hello !== undefined) leg.socket.unshift(hello);
    const isRequired = settings.clientAuth === 'require';
    const socket = new (nodeTls().TLSSocket)(leg.socket, {
      isServer: true,
      secureContext: material.secureContext,
      requestCert: isRequired,
      // Refuses a client without a certificate inside the handshake; what is wrong with one is for us to look at.
      rejectUnauthorized: isRequired,
      ...tlsStreamOptions(WRITE_HIGH_WATER_BYTES),
    });
    socket.disableRenegotiation();
    const secure = new TlsLeg({ socket, plain: leg, canReset, strictClose: settings.strictClose, owner: this });
    this.#leg = secure;
    const shaken = tellAlert({ socket, raw: leg.socket, onFault: (error) => this.legFailed(secure, error) });
    onServerHandshake(socket, {
      done: () => {
        shaken();
        containing(this, () => this.#secured(secure, socket));
      },
      failed: (error) => this.#faultOf(socket, error),
    });
  }

  #faultOf(socket: TLSSocket, error: unknown): void {
    this.#code = errnoOf(error);
    if (!this.#over || this.#isFaultTold) return;
    // Later than the handshake Node tells nobody else, and leaves the socket open. It repeats here what it is told.
    this.#isFaultTold = true;
    // Not at once: this is called while Node still reads from what the reset that follows would free.
    setImmediate(() => {
      if (!socket.destroyed) socket.emit('error', error);
    });
  }

  get #isSilent(): boolean {
    return this.#leg === this.#options.leg && this.#held.length === 0 && this.#leg.socket.readableLength === 0;
  }

  #read(): void {
    const { leg, settings } = this.#options;
    const { socket } = leg;
    const chunk = socket.read() as Buffer | null;
    if (chunk === null || this.#over) return;
    this.#held.push(chunk);
    const hello = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    this.#held = [hello];
    if (!isWorthReading(hello)) return;
    socket.off('readable', this.#onReadable);
    settings.handshakes.come(this);
  }

  #secured(leg: TlsLeg, socket: TLSSocket): void {
    if (this.#over) return;
    const { settings, owner } = this.#options;
    const fault = settings.clientAuth === 'require' ? chainFault(socket) : undefined;
    const verdict = fault === undefined ? judgePeer(socket, settings.peers) : refusal(socket, settings.peers, fault);
    if (!verdict.ok) {
      this.#fail({ kind: 'peer', endedBy: 'attache', code: verdict.code, peer: verdict.peer });
      return;
    }
    this.#end();
    leg.end.mark();
    owner.secured(leg, verdict.peer);
  }

  #failed(code: FailureCode): void {
    this.#fail({ kind: code === MISSING ? 'peer' : 'handshake', endedBy: endedBy(code), code });
  }

  #fail(failure: TlsFailure): void {
    if (this.#over) return;
    this.#end();
    this.#options.owner.notSecured(this.#leg, failure);
  }

  #end(): void {
    this.#over = true;
    this.#limit.clear();
    this.#options.leg.socket.off('readable', this.#onReadable);
    this.#options.settings.handshakes.leave(this);
  }
}

function refusal(socket: TLSSocket, { nameOf }: PeerCheck, code: FailureCode): PeerVerdict {
  const certificate = socket.getPeerX509Certificate();
  return { ok: false, code, peer: certificate && nameOf(certificate) };
}

/** What is wrong with the client's chain; a client without one, or of whom nothing can be said, is at fault as well. */
function chainFault(socket: TLSSocket): FailureCode | undefined {
  return socket.getPeerX509Certificate() === undefined ? MISSING : chainFaultOf(socket);
}

function endedBy(code: FailureCode): 'client' | 'attache' {
  return code === 'EOF' || code === 'ECONNRESET' || code === 'EPIPE' ? 'client' : 'attache';
}

const onTimeout = contained((accept: TlsAccept) => accept.timedOut());
