import { contained, containing, type Contained } from '../../core/contained.ts';
import { errnoOf, isPeerReset } from '../../core/errors.ts';
import type { ProxyEnds } from '../../core/proxy-header.ts';
import type { ProxyHeaderFault } from '../../core/proxy-header-fault.ts';
import { readProxyHeader } from '../../core/read-proxy-header.ts';
import { TimeLimit } from '../../core/time-limit.ts';
import type { Leg, LegOwner } from './leg.ts';

export type ProxyAcceptFailure =
  /** The bytes are no header, the header breaks the rules, or it was not there in time. */
  | { readonly kind: 'refused'; readonly code: ProxyHeaderFault | 'TIMEOUT' }
  /** The client left before its header was whole. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'error'; readonly errno: string };

/** Hears how the reading of a header ended; exactly one of the two, once, and none after `abort`. */
export interface ProxyAcceptOwner {
  /** @param ends undefined when the header names none that are TCP's */
  headerRead(ends: ProxyEnds | undefined): void;
  /** The leg is still to be closed, or has been. */
  headerFailed(failure: ProxyAcceptFailure): void;
}

export interface ProxyAcceptOptions {
  /** The plain leg of an accepted socket; it is taken over until `owner` is called. */
  readonly leg: Leg;
  /** From accept to the last byte of the header. */
  readonly timeoutMs: number;
  readonly owner: ProxyAcceptOwner;
}

const NOTHING = Buffer.alloc(0);

/** Reads the PROXY protocol header in front of what a client sends, and leaves what follows it on the socket. */
export class ProxyAccept implements LegOwner, Contained {
  readonly #leg: Leg;
  readonly #owner: ProxyAcceptOwner;
  readonly #limit: TimeLimit<ProxyAccept>;
  readonly #onReadable = (): void => containing(this, () => this.#read());
  /** What has come of the header. */
  #held: Buffer = NOTHING;
  #phase: 'reading' | 'handing-over' | 'over' = 'reading';

  constructor({ leg, timeoutMs, owner }: ProxyAcceptOptions) {
    this.#leg = leg;
    this.#owner = owner;
    this.#limit = new TimeLimit<ProxyAccept>(timeoutMs, timeOut, this);
  }

  start(): void {
    this.#leg.owner = this;
    this.#leg.socket.on('readable', this.#onReadable);
    this.#leg.peek();
  }

  /** Ends it without a word; the leg is still to be closed, or has been. */
  abort(): void {
    this.#stop('over');
  }

  faulted(error: unknown): void {
    this.#leg.faulted(error);
  }

  timedOut(): void {
    this.#fail({ kind: 'refused', code: 'TIMEOUT' });
  }

  legEnded(): void {
    // Behind a whole header the bytes are passed on to the next owner.
    if (this.#phase === 'reading') this.#fail({ kind: 'gone' });
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    const errno = errnoOf(error);
    this.#fail(isPeerReset(errno) ? { kind: 'gone' } : { kind: 'error', errno });
  }

  legClosed(): void {
    this.#fail({ kind: 'gone' });
  }

  #read(): void {
    const chunk = this.#leg.socket.read() as Buffer | null;
    if (chunk === null || this.#phase !== 'reading') return;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const header = readProxyHeader(bytes);
    switch (header.status) {
      case 'incomplete':
        this.#held = bytes;
        return;
      case 'wrong':
        this.#fail({ kind: 'refused', code: header.fault });
        return;
      case 'complete':
        this.#stop('handing-over');
        if (bytes.length > header.bytes) this.#leg.socket.unshift(bytes.subarray(header.bytes));
        // Only then has the stream noticed that nobody listens for `readable` any more. Noticed under the next owner, it
        // would resume a socket that this one has paused.
        process.nextTick(handOver, this, header.ends);
    }
  }

  handOver(ends: ProxyEnds | undefined): void {
    if (this.#phase !== 'handing-over') return;
    this.#phase = 'over';
    const leg = this.#leg;
    this.#owner.headerRead(ends);
    if (leg.ended && !leg.closed && leg.owner !== this) leg.owner.legEnded(leg);
  }

  #fail(failure: ProxyAcceptFailure): void {
    if (this.#phase === 'over') return;
    this.#stop('over');
    this.#owner.headerFailed(failure);
  }

  #stop(phase: 'handing-over' | 'over'): void {
    this.#phase = phase;
    this.#held = NOTHING;
    this.#limit.clear();
    this.#leg.socket.off('readable', this.#onReadable);
  }
}

const timeOut = contained((accept: ProxyAccept) => accept.timedOut());

function handOver(accept: ProxyAccept, ends: ProxyEnds | undefined): void {
  containing(accept, () => accept.handOver(ends));
}
