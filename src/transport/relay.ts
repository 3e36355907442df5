import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import { isPeerReset, type Leg, type LegOwner } from './leg.ts';

/** Moves bytes between two sockets until both are closed. An interface, so that another engine can stand behind it. */
export interface Relay {
  /** Bytes that came from the client and were handed to the candidate's socket. */
  readonly bytesToCandidate: number;
  /** Bytes that came from the candidate and were handed to the client's socket. */
  readonly bytesToClient: number;
  start(): void;
  /**
   * Ends both sides at once: by RST, or when `gently` by FIN where nothing is cut short. `onClosed` follows. The first
   * reason given stays; what is already on its way to its end, but waits for a slow reader, is cut all the same.
   */
  abort(reason: CloseReason, gently?: boolean): void;
  /** When the last byte came from either side, or when it started: `performance.now()`. */
  readonly movedAt: number;
  /** How many sides are gone, or have been sent all they will ever get: one is a half-closed connection. */
  readonly finishedSides: number;
  /** A side is not read, has finished or is gone: from `onUneasy` until this is false it must be looked at now and then. */
  readonly uneasy: boolean;
  /** Turns on keep-alive to the candidate. */
  keepAlive(keepAliveMs: number): void;
  /** Notices a side that was reset while nothing is read from it; to be called now and then. */
  probe(): void;
}

export interface RelayOptions {
  readonly client: Leg;
  readonly candidate: Leg;
  /** See {@link Relay.uneasy}; may be told again and again. */
  readonly onUneasy?: () => void;
  /** A side failed, before anything is closed for it. */
  readonly onFailed?: (side: 'client' | 'candidate', error: NodeJS.ErrnoException) => void;
  /** Both sockets are closed. Called exactly once. */
  readonly onClosed: (endedBy: EndedBy, reason: CloseReason) => void;
}

const NOTHING = Buffer.alloc(0);

export function relay(options: RelayOptions): Relay {
  return new StreamRelay(options);
}

/** The relay over Node's sockets. A side that finishes finishes only its direction; a side that fails takes the other with it. */
class StreamRelay implements Relay, LegOwner {
  readonly #client: Leg;
  readonly #candidate: Leg;
  readonly #options: RelayOptions;
  #endedBy: EndedBy | undefined;
  #reason: CloseReason = 'finished';
  /** Both sides are being closed: what they report from now on changes nothing. */
  #closing = false;

  constructor(options: RelayOptions) {
    this.#client = options.client;
    this.#candidate = options.candidate;
    this.#options = options;
  }

  get bytesToCandidate(): number {
    return this.#client.bytesRead;
  }

  get bytesToClient(): number {
    return this.#candidate.bytesRead;
  }

  get movedAt(): number {
    return Math.max(this.#client.movedAt, this.#candidate.movedAt);
  }

  get finishedSides(): number {
    // Finished means sent on as well: a slow client that is still fed what its candidate left behind is not idle.
    return Number(isFinished(this.#client)) + Number(isFinished(this.#candidate));
  }

  get uneasy(): boolean {
    return isUneasy(this.#client) || isUneasy(this.#candidate);
  }

  keepAlive(keepAliveMs: number): void {
    this.#candidate.keepAlive(keepAliveMs);
  }

  probe(): void {
    for (const leg of [this.#client, this.#candidate]) if (leg.waitsForPeer || leg.ended) leg.probe();
  }

  start(): void {
    const [client, candidate] = [this.#client, this.#candidate];
    client.owner = this;
    candidate.owner = this;
    client.movedAt = performance.now();
    client.join(candidate);
    candidate.flow();
    // A client may have finished before its candidate answered, with bytes that are still to be delivered, or none.
    client.flow();
    if (client.ended) this.legEnded(client);
  }

  abort(reason: CloseReason, gently = false): void {
    if (!this.#closing) {
      this.#closing = true;
      this.#endedBy = 'attache';
      this.#reason = reason;
    }
    for (const leg of [this.#client, this.#candidate]) {
      // Bytes that still wait for a reader would be lost behind a FIN that calls the stream complete.
      if (gently && leg.unsent === 0) leg.close();
      else leg.reset();
    }
  }

  legStalled(): void {
    this.#options.onUneasy?.();
  }

  legEnded(leg: Leg): void {
    this.#options.onUneasy?.();
    if (leg.truncated) {
      this.#truncated(leg);
      return;
    }
    this.#endedBy ??= this.#nameOf(leg);
    leg.peer?.finish();
  }

  legFailed(leg: Leg, error: NodeJS.ErrnoException): void {
    if (this.#closing) return;
    this.#closing = true;
    const side = this.#nameOf(leg);
    this.#options.onFailed?.(side, error);
    this.#endedBy = side;
    this.#reason = isPeerReset(error) ? `${side}_reset` : `${side}_error`;
    // What a side sent before it refused more still has to reach the other, which is closed behind it.
    if (leg.ended) leg.peer?.closeSoon();
    else leg.peer?.reset();
  }

  legClosed(leg: Leg): void {
    const peer = leg.peer;
    if (peer === undefined) return;
    if (!peer.closed) this.#options.onUneasy?.();
    if (peer.closed) this.#options.onClosed(this.#endedBy ?? 'attache', this.#reason);
    // A socket closes by itself once both its directions are finished; then the peer has only its last bytes to send.
    else if (!this.#closing && !(leg.ended && peer.ended)) peer.reset();
  }

  /** Whether all of its bytes have come is not known, so the other side gets those that have, and then no end but a reset. */
  #truncated(leg: Leg): void {
    if (this.#closing) return;
    this.#closing = true;
    const side = this.#nameOf(leg);
    this.#endedBy = side;
    this.#reason = `${side}_truncated`;
    const { peer } = leg;
    leg.reset();
    if (peer === undefined || peer.closed) return;
    if (peer.unsent === 0 || !peer.socket.writable) peer.reset();
    else peer.socket.write(NOTHING, () => peer.reset());
  }

  #nameOf(leg: Leg): 'client' | 'candidate' {
    return leg === this.#client ? 'client' : 'candidate';
  }
}

function isUneasy({ waitsForPeer, ended, closed }: Leg): boolean {
  return waitsForPeer || ended || closed;
}

/** Nothing will be written to this side any more, and all that was has been sent on. */
function isFinished({ socket, closed }: Leg): boolean {
  return socket.writableFinished || closed;
}
