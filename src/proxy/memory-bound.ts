/** What a process uses, bytes. */
export interface MemoryUse {
  readonly resident: number;
  /** Of the JavaScript heap, but for its young generation. */
  readonly oldHeap: number;
  /** The young generation: alive, or garbage that nobody has looked at yet. */
  readonly youngHeap: number;
}

/** What a process may use, bytes; Infinity: not bounded. */
export interface MemoryLimits {
  readonly resident: number;
  readonly oldHeap: number;
}

export interface MemoryBoundOptions {
  readonly limits: MemoryLimits;
  /** Asked at most some times a second, or once in so many connections. */
  readonly read: () => MemoryUse;
}

/** Until the next look, ms. */
const LOOK_MS = 250;
/** Connections let in until the next look. */
const LOOK_CONNECTIONS = 256;
/** What a connection is taken to need until it can be seen: more than a plain one that idles, less than one of TLS that is stuck. */
const CONNECTION_BYTES = 32 * 1024;
const CONNECTION_HEAP_BYTES = 8 * 1024;
/** So many are let in whatever is read: a limit that is too low for the process itself is no reason to serve nobody. */
const LEAST_CONNECTIONS = 8;
/** Kept back of the resident memory: a share of the limit, within bounds. */
const RESERVE = { share: 0.1, least: 16 * 1024 * 1024, most: 128 * 1024 * 1024 } as const;
/** Of the heap's limit. Behind it V8 collects ever more often, and then ends the process. */
const HEAP_SHARE = 0.8;
const HEAP_DANGER_SHARE = 0.9;

/** Says how many connections there is memory for, by what those that are open have been seen to take. */
export class MemoryBound {
  readonly #options: MemoryBoundOptions;
  readonly #residentBound: number;
  readonly #residentDanger: number;
  #lookedAt = -Infinity;
  #sinceLook = 0;
  /** Connections that there is room for. */
  #most = Infinity;
  #isExceeded = false;

  constructor(options: MemoryBoundOptions) {
    this.#options = options;
    const limit = options.limits.resident;
    const reserve = Number.isFinite(limit) ? Math.min(RESERVE.most, Math.max(RESERVE.least, limit * RESERVE.share)) : 0;
    this.#residentBound = limit - reserve;
    this.#residentDanger = limit - reserve / 2;
  }

  /** @param inside connections that are open. @returns whether there is room for one more */
  admits(inside: number): boolean {
    const { limits } = this.#options;
    if (limits.resident === Infinity && limits.oldHeap === Infinity) return true;
    const now = performance.now();
    if (this.#sinceLook >= LOOK_CONNECTIONS || now - this.#lookedAt >= LOOK_MS) this.#look(now, inside);
    if (inside >= Math.max(LEAST_CONNECTIONS, this.#most)) return false;
    this.#sinceLook += 1;
    return true;
  }

  #look(now: number, inside: number): void {
    this.#lookedAt = now;
    this.#sinceLook = 0;
    const { limits, read } = this.#options;
    const { resident, oldHeap, youngHeap } = read();
    // What is young and alive belongs to connections that are open.
    const heap = oldHeap + Math.min(youngHeap, inside * CONNECTION_HEAP_BYTES);
    const room = Math.min(
      (this.#residentBound - resident) / CONNECTION_BYTES,
      (limits.oldHeap * HEAP_SHARE - heap) / CONNECTION_HEAP_BYTES,
    );
    if (room >= 1) {
      this.#isExceeded = false;
      this.#most = inside + Math.floor(room);
      return;
    }
    // Memory that connections have had is kept by the process when they have gone, and is used again by the next: it is the
    // number of connections that tells, not what is read while there are fewer.
    if (!this.#isExceeded) this.#most = inside;
    else if (inside >= this.#most && this.#isDangerous(resident, heap)) this.#most = Math.floor(inside * 0.75);
    this.#isExceeded = true;
  }

  #isDangerous(resident: number, heap: number): boolean {
    return resident >= this.#residentDanger || heap >= this.#options.limits.oldHeap * HEAP_DANGER_SHARE;
  }
}
