import type { TLSSocket } from 'node:tls';
import { Leg, type LegOwner } from './leg.ts';
import { watchEnd, type EndWatch } from './tls-end.ts';

export interface TlsLegOptions {
  readonly socket: TLSSocket;
  /** Of the socket below, which carries what is encrypted; it is taken over. */
  readonly plain: Leg;
  /** Whether that is TCP: only that has an RST to send. */
  readonly canReset: boolean;
  readonly owner: LegOwner;
}

const NOTHING = Buffer.alloc(0);

/** A leg that is encrypted on its socket. Everything that ends it early is done on the socket below. */
export class TlsLeg extends Leg {
  override readonly encrypted = true;
  /** Sets `truncated` when its sender closes TCP without the close_notify that says the stream is whole. */
  readonly end: EndWatch;
  readonly #raw: Leg['socket'];
  readonly #resettable: boolean;

  constructor({ socket, plain, canReset, owner }: TlsLegOptions) {
    super(socket, owner, false);
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
    // more, and tells of no reset. An empty write below is no record.
    if (this.endSeen && this.unsent === 0) return;
    raw.write(NOTHING);
  }

  override reset(): void {
    if (this.closed) return;
    // `TLSSocket.resetAndDestroy` throws on Node 20; that of the socket below takes the TLS socket with it, and sends no
    // close_notify. For the FIN see `Leg.reset`.
    const finSent = this.socket.writableEnded && this.socket.writableLength === 0;
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
