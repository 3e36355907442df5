import type { Socket } from 'node:net';

/**
 * What a fault proxy does with its connections. Bytes are counted per connection, both directions together.
 *
 * - `pass`: carries them;
 * - `refuse`: no listener on the port, so that the kernel refuses; open connections are reset;
 * - `accept-and-swallow`: accepts, takes every byte and answers none; open connections stop where they are;
 * - `reset-on-accept`: RST as soon as a connection is accepted;
 * - `cut`: after so many bytes have passed, both sides are ended: by `fin` or by `rst`;
 * - `stall`: after so many bytes nothing moves any more and nothing is read; the connection stays open;
 * - `delay`: every chunk leaves so much later, in order, and the end behind the last;
 * - `drip`: so many bytes per interval and direction.
 *
 * For a host that drops every SYN see `startBlackHole`: it takes a process of its own.
 */
export type Fault =
  | { readonly mode: 'pass' | 'refuse' | 'accept-and-swallow' | 'reset-on-accept' }
  | { readonly mode: 'cut'; readonly afterBytes: number; readonly by: 'fin' | 'rst' }
  | { readonly mode: 'stall'; readonly afterBytes: number }
  | { readonly mode: 'delay'; readonly ms: number }
  | { readonly mode: 'drip'; readonly bytes: number; readonly everyMs: number };

/** One connection of a fault proxy: both directions, and what is done to them. */
export class FaultyFlow {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #directions: readonly Direction[];
  #fault: Fault;
  /** Bytes carried since the fault was set. */
  #carried = 0;
  #silent = false;

  constructor({ client, target, fault }: { readonly client: Socket; readonly target: Socket; readonly fault: Fault }) {
    this.#client = client;
    this.#target = target;
    this.#fault = fault;
    for (const socket of [client, target]) socket.on('error', () => undefined).setNoDelay(true);
    // One side that is gone takes the other with it, as it went.
    client.once('close', (failed) => this.#lost(client, target, failed));
    target.once('close', (failed) => this.#lost(target, client, failed));
    this.#directions = [new Direction(client, target, this), new Direction(target, client, this)];
    this.suffer(fault);
  }

  suffer(fault: Fault): void {
    this.#fault = fault;
    this.#carried = 0;
    if (fault.mode === 'accept-and-swallow') this.silence();
    else this.#pump();
    if (fault.mode === 'cut' && fault.afterBytes === 0) this.#cut(fault.by);
  }

  reset(): void {
    resetSocket(this.#client);
    resetSocket(this.#target);
  }

  /** For good. */
  silence(): void {
    this.#silent = true;
    for (const direction of this.#directions) direction.hold();
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** Bytes that may move now. */
  get allowance(): number {
    const fault = this.#fault;
    if (this.#silent) return 0;
    return fault.mode === 'stall' || fault.mode === 'cut' ? Math.max(0, fault.afterBytes - this.#carried) : Infinity;
  }

  carried(bytes: number): void {
    this.#carried += bytes;
    const fault = this.#fault;
    if (fault.mode === 'cut' && this.#carried >= fault.afterBytes) this.#cut(fault.by);
  }

  #pump(): void {
    for (const direction of this.#directions) direction.pump();
  }

  #lost(gone: Socket, other: Socket, failed: boolean): void {
    for (const direction of this.#directions) direction.hold();
    if (failed) resetSocket(other);
    // Behind an end on both sides the other still has to send what it was given.
    else if (!gone.readableEnded || !other.writableEnded) other.destroy();
  }

  #cut(by: 'fin' | 'rst'): void {
    this.#silent = true;
    for (const direction of this.#directions) direction.hold();
    for (const socket of [this.#client, this.#target]) cutSocket(socket, by);
  }
}

/** One that has sent its FIN cannot be reset: Node would keep its handle. */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** What was written before must arrive: a FIN waits behind it by itself, a RST would overtake it. */
function cutSocket(socket: Socket, by: 'fin' | 'rst'): void {
  if (by === 'fin') {
    // Reads on into nothing: a close with unread bytes would be a RST.
    socket.removeAllListeners('readable').resume().end();
  } else if (socket.writableLength === 0) {
    socket.resetAndDestroy();
  } else {
    socket.write('', () => socket.resetAndDestroy());
  }
}

/** One direction; it reads by itself and never more than it may pass on. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #flow: FaultyFlow;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, flow: FaultyFlow) {
    this.#from = from;
    this.#to = to;
    this.#flow = flow;
    from.on('readable', () => this.pump()).on('end', () => this.#end());
    to.on('drain', () => this.pump());
  }

  hold(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  pump(): void {
    const { fault } = this.#flow;
    while (this.#timer === undefined && !this.#to.writableNeedDrain && !this.#to.destroyed) {
      const ready = this.#from.readableLength;
      const most = Math.min(ready, this.#flow.allowance, fault.mode === 'drip' ? fault.bytes : Infinity);
      if (most === 0) {
        // Asks for the end, which comes only to a reader; a stalled one does not read.
        if (ready === 0 && this.#flow.allowance > 0) this.#from.read(0);
        return;
      }
      if (fault.mode === 'delay') {
        this.#later(fault.ms, () => this.#move(Math.min(this.#from.readableLength, this.#flow.allowance)));
      } else {
        this.#move(most);
        if (fault.mode === 'drip') this.#later(fault.everyMs, () => undefined);
      }
    }
  }

  #later(ms: number, act: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      act();
      this.pump();
      if (this.#ended) this.#end();
    }, ms);
  }

  #move(bytes: number): void {
    if (bytes === 0) return;
    const chunk = this.#from.read(bytes) as Buffer | null;
    if (chunk === null) return;
    this.#to.write(chunk);
    this.#flow.carried(chunk.length);
  }

  #end(): void {
    this.#ended = true;
    if (this.#timer === undefined && this.#flow.allowance > 0) this.#to.end();
  }
}
