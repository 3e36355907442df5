import type { CloseReason, EndedBy } from '../../core/close-reason.ts';
import { errnoOf, isPeerReset } from '../../core/errors.ts';
import type { Relay, RelayOptions } from '../engine.ts';
import { delivered } from './delivered.ts';
import type { Leg, LegOwner } from './leg.ts';

/** The same with what this engine has of the two sides. */
export interface StreamRelayOptions extends Omit<RelayOptions, 'client' | 'candidate'> {
  readonly client: Leg;
  readonly candidate: Leg;
}

const NOTHING = Buffer.alloc(0);

/** The relay over Node's sockets. A side that finishes finishes only its direction; a side that fails takes the other with it. */
export class StreamRelay implements Relay, LegOwner {
  readonly #client: Leg;
  readonly #candidate: Leg;
  readonly #options: StreamRelayOptions;
  #endedBy: EndedBy | undefined;
  #reason: CloseReason = 'finished';
  /** Both sides are being closed: what they report from now on changes nothing. */
  #closing = false;

  constructor(options: StreamRelayOptions) {
    this.#client = options.client;
    this.#candidate = options.candidate;
    this.#options = options;
  }

  get bytesToCandidate(): number {
    return this.#candidate.taken;
  }

  get bytesToClient(): number {
    return this.#client.taken;
  }

  get unclean(): boolean {
    return this.#client.unclean || this.#candidate.unclean;
  }

  get movedAt(): number {
    return Math.max(this.#client.movedAt, this.#candidate.movedAt);
  }

  get finishedSides(): number {
    // Finished means sent on as well: a slow client that is still fed what its candidate left behind is not idle.
    return Number(isFinished(this.#client)) + Number(isFinished(this.#candidate));
  }

  get needsWatch(): boolean {
    return needsWatch(this.#client) || needsWatch(this.#candidate);
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
    this.#options.onNeedsWatch?.();
  }

  legEnded(leg: Leg): void {
    this.#options.onNeedsWatch?.();
    if (leg.reads === 'truncated' && leg.strictClose) {
      this.#cut(leg);
      return;
    }
    this.#endedBy ??= this.#nameOf(leg);
    leg.peer?.finish();
  }

  legFailed(leg: Leg, error: NodeJS.ErrnoException): void {
    if (this.#closing) return;
    this.#closing = true;
    const side = this.#nameOf(leg);
    this.#options.onFailed?.(side, errnoOf(error));
    this.#endedBy = side;
    this.#reason = isPeerReset(errnoOf(error)) ? `${side}_reset` : `${side}_error`;
    // What a side sent before it refused more still has to reach the other, which is closed behind it.
    if (leg.ended) leg.peer?.closeSoon();
    else leg.peer?.reset();
  }

  legClosed(leg: Leg): void {
    const peer = leg.peer;
    if (peer === undefined) return;
    if (!peer.closed) this.#options.onNeedsWatch?.();
    if (peer.closed) this.#options.onClosed(this.#endedBy ?? 'attache', this.#reason);
    // A socket closes by itself once both its directions are finished; then the peer has only its last bytes to send.
    else if (!this.#closing && !(leg.ended && peer.ended)) peer.reset();
  }

  /** Whether all of its bytes have come is not known, so the other side gets those that have, and then no end but a reset. */
  #cut(leg: Leg): void {
    if (this.#closing) return;
    this.#closing = true;
    const side = this.#nameOf(leg);
    this.#endedBy = side;
    this.#reason = `${side}_truncated`;
    const { peer } = leg;
    leg.reset();
    if (peer === undefined || peer.closed) return;
    if (!peer.socket.writable) peer.reset();
    else peer.socket.write(NOTHING, () => void delivered(peer.socket).then(() => peer.reset()));
  }

  #nameOf(leg: Leg): 'client' | 'candidate' {
    return leg === this.#client ? 'client' : 'candidate';
  }
}

function needsWatch({ waitsForPeer, ended, closed }: Leg): boolean {
  return waitsForPeer || ended || closed;
}

/** Nothing will be written to this side any more, and all that was has been sent on. */
function isFinished({ socket, closed }: Leg): boolean {
  return socket.writableFinished || closed;
}
