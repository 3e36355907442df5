import type { Contained } from '../../core/contained.ts';
import type { NativeAddon, TlsContext } from './bindings.ts';
import { Commands, type EndName } from './commands.ts';
import { Live } from './live.ts';
import { RECORD, Records } from './records.ts';

/** An end, as JavaScript has it. */
export interface NativeEnd extends EndName, Contained {
  /** The thread reports something about this subject; `records` stands at the report. */
  told(records: Records): void;
}

/** What receives the clients of a listener. */
export interface NativeAccepts {
  accepted(records: Records): void;
  acceptFailed(errno: number): void;
}

export interface SecureOptions {
  readonly context: TlsContext;
  /** An end without close_notify is a cut. */
  readonly isStrict: boolean;
  /** What a candidate's certificate must say, and whose sessions are taken up. */
  readonly peer?: { readonly name: string; readonly target: string };
}

/** Records that are read before others of the event loop have their turn. */
const MOST_AT_ONCE = 128;

/** The engine's thread, from JavaScript's side: what it tells goes to whom it concerns, and what it is told goes there in batches. */
export class NativeThread {
  readonly addon: NativeAddon;
  readonly commands: Commands;
  readonly live: Live;
  readonly #records: Records;
  readonly #clients: number;
  /** By slot. */
  readonly #ends: (NativeEnd | undefined)[] = [];
  readonly #listeners = new Map<number, NativeAccepts>();
  /** Candidates' slots that have been used and are free. */
  readonly #freeSlots: number[] = [];
  readonly #clockAhead: number;
  #usedSlots = 0;
  #generation = 0;
  #listenerId = 0;
  #held = 0;
  #isReading = false;

  constructor(addon: NativeAddon) {
    const { ring, live, clients } = addon.start(() => this.#read());
    this.addon = addon;
    this.commands = new Commands(addon);
    this.live = new Live(live);
    this.#records = new Records(ring);
    this.#clients = clients;
    this.#clockAhead = performance.now() - addon.now();
  }

  /** A moment of the thread's clock as `performance.now()` has it. */
  moment(at: number): number {
    return at + this.#clockAhead;
  }

  /** @returns undefined when there is no slot for another candidate */
  nameCandidate(): EndName | undefined {
    const slot =
      this.#freeSlots.pop() ?? (this.#usedSlots < this.#clients ? this.#clients + this.#usedSlots++ : undefined);
    if (slot === undefined) return undefined;
    this.#generation = (this.#generation + 1) >>> 0 || 1;
    return { slot, generation: this.#generation };
  }

  /** What is told of the end goes to it from now on, until {@link NativeThread.gone}. */
  add(end: NativeEnd): void {
    this.#ends[end.slot] = end;
    this.hold(1);
  }

  /** Its last record has been read: its slot may name another. */
  gone(end: NativeEnd): void {
    this.#ends[end.slot] = undefined;
    if (end.slot >= this.#clients) this.#freeSlots.push(end.slot);
    else this.commands.forget(end);
    this.hold(-1);
  }

  /** Begins the TLS handshake of an end. @param peer of a candidate */
  secure({ slot, generation }: EndName, { context, isStrict, peer }: SecureOptions): void {
    this.commands.flush();
    const isTold = this.addon.secure(slot, generation, context, isStrict, peer?.name, peer?.target);
    if (!isTold) throw new Error('no memory for what the engine is to be told');
  }

  addListener(listener: NativeAccepts): number {
    this.#listenerId = (this.#listenerId + 1) >>> 0;
    this.#listeners.set(this.#listenerId, listener);
    this.hold(1);
    return this.#listenerId;
  }

  removeListener(id: number): void {
    if (this.#listeners.delete(id)) this.hold(-1);
  }

  /** The event loop goes on for as long as there is something to hear of. */
  hold(by: 1 | -1): void {
    const before = this.#held;
    this.#held += by;
    if (before === 0 || this.#held === 0) this.addon.hold(this.#held > 0);
  }

  #read(): void {
    // Somebody who was told of something has let the event loop run.
    if (this.#isReading) return;
    const records = this.#records;
    this.#isReading = this.commands.isGathering = true;
    let isMore = false;
    try {
      records.begin();
      for (let count = 0; records.next(); count += 1) {
        isMore = count === MOST_AT_ONCE;
        if (isMore) break;
        isMore = true;
        this.#pass(records);
        isMore = false;
      }
      if (records.isFull) this.commands.room();
    } finally {
      this.#isReading = this.commands.isGathering = false;
      this.commands.flush();
      // Also behind an error that somebody let escape: it is not the fault of those whose records follow.
      if (isMore) setImmediate(() => this.#read());
    }
  }

  #pass(records: Records): void {
    try {
      if (records.kind <= RECORD.acceptFailed) this.#passToListener(records);
      else this.#passToEnd(records);
    } finally {
      records.done();
    }
  }

  #passToListener(records: Records): void {
    const listener = this.#listeners.get(records.of);
    if (records.kind === RECORD.acceptFailed) {
      listener?.acceptFailed(records.code);
    } else if (listener !== undefined) {
      listener.accepted(records);
    } else {
      // Its listener has been closed meanwhile: as those who wait in the kernel's queue, it is reset.
      const end = new Unwanted(this, records);
      this.add(end);
      this.commands.close(end, true);
    }
  }

  #passToEnd(records: Records): void {
    const end = this.#ends[records.slot];
    if (end?.generation !== records.generation) return;
    try {
      end.told(records);
    } catch (error) {
      end.faulted(error);
    }
  }
}

/** A client that nobody waits for. */
class Unwanted implements NativeEnd {
  readonly slot: number;
  readonly generation: number;
  readonly #thread: NativeThread;

  constructor(thread: NativeThread, { slot, generation }: EndName) {
    this.#thread = thread;
    this.slot = slot;
    this.generation = generation;
  }

  told({ kind }: Records): void {
    if (kind === RECORD.closed) this.#thread.gone(this);
  }

  faulted(error: unknown): never {
    throw error;
  }
}
