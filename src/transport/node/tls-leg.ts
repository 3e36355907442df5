import type { TLSSocket } from 'node:tls';
import { errnoOf } from '../../core/errors.ts';
import { Leg, type LegOwner } from './leg.ts';
import { watchEnd, type EndWatch } from './tls-end.ts';

export interface TlsLegOptions {
  readonly socket: TLSSocket;
  /** Of the socket below, which carries what is encrypted; it is taken over. */
  readonly plain: Leg;
  /** Whether that is TCP: only that has an RST to send. */
  readonly canReset: boolean;
  /** See {@link Leg.strictClose}. */
  readonly strictClose?: boolean | undefined;
  readonly owner: LegOwner;
}

const NOTHING = Buffer.alloc(0);

/** A leg that is encrypted on its socket. Everything that ends it early is done on the socket below. */
export class TlsLeg extends Leg {
  override readonly strictClose: boolean;
  readonly end: EndWatch;
  readonly #raw: Leg['socket'];
  readonly #resettable: boolean;

  constructor({ socket, plain, canReset, strictClose, owner }: TlsLegOptions) {
    super(socket, owner, false);
    this.connection = plain.connection;
    plain.connection = this;
    this.strictClose = strictClose === true;
    this.#raw = plain.socket;
    this.#resettable = canReset;
    this.end = watchEnd({ leg: this, socket, raw: plain.socket });
    // After an error that comes later than the handshake Node leaves the socket open.
    socket.on('error', () => this.reset());
    plain.owner = {
      legEnded: () => undefined,
      legFailed: (_, error) => this.owner.legFailed(this, error),
      legClosed: () => undefined,
    };
  }

  override probe(): void {
    const raw = this.#raw;
    if (!this.#resettable || raw.destroyed || this.socket.writableEnded || raw.writableLength > 0) return;
    // A close_notify has said all there is to say of the end. What waits behind it may wait for ever, though: Node reads no
    // more, and tells of no reset. An end without one may be a reset that libuv mistakes. An empty write below is no record.
    if (this.reads !== 'open' && this.streamEnd === 'notified' && this.unsent === 0) return;
    raw.write(NOTHING);
  }

  /** A reset is seen by the socket below first. */
  override get hasFailed(): boolean {
    return super.hasFailed || (this.#raw.errored !== null && errnoOf(this.#raw.errored) === 'ECONNRESET');
  }

  override reset(): void {
    if (this.closed) return;
    this.noteTaken();
    // `TLSSocket.resetAndDestroy` throws on Node 20; that of the socket below takes the TLS socket with it, and sends no
    // close_notify. For the FIN see `Leg.reset`.
    // A FIN may have gone out behind an alert as well, see `tellAlert`.
    const finSent = this.#raw.writableEnded || (this.socket.writableEnded && this.socket.writableLength === 0);
    if (!this.#resettable || finSent) this.socket.destroy();
    // The TLS socket closes behind it. To destroy that one here as well would free what is in use when this is called by
    // one of its events: Node frees it at the next tick when the socket below is gone.
    else if (!this.#raw.destroyed) this.#raw.resetAndDestroy();
  }

  /** Ends the socket with a close_notify, where nothing is cut short. */
  override close(): void {
    if (!this.closed) this.socket.destroySoon();
  }
}
