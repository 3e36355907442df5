import { fullJitterBackoff } from '../core/backoff.ts';

/** A client that waits, unread, for a candidate to answer. */
export interface Held {
  /** Ascending in the order of accept: who came first is served first. */
  readonly id: number;
  /** Look for a candidate again; who finds none joins again. */
  retry(): void;
}

export interface HoldOptions {
  /** Most clients that are held at once. */
  readonly places: number;
  /** Whether there is anything to try. */
  readonly hasCandidates: () => boolean;
  /** Told when the first client is held, and when none is any more. */
  readonly onChange: (change: HoldChange) => void;
}

export type HoldChange =
  | { readonly phase: 'began' }
  /** How many were held in all, and for how long there was any. */
  | { readonly phase: 'ended'; readonly connections: number; readonly ms: number };

/** The waits between trials while no candidate answers, ms. */
const TRIAL = { initialMs: 50, minMs: 25, maxMs: 1_000 } as const;

/**
 * Clients that no candidate has answered yet, in the order in which they came. While there are any, the first of them
 * is sent to try now and then; as soon as anyone is answered, all of them try.
 */
export class HoldQueue {
  readonly #options: HoldOptions;
  readonly #backoff = fullJitterBackoff(TRIAL);
  /** By ascending id. */
  #waiting: Held[] = [];
  /** Of those who are held, waiting or trying. */
  #places = 0;
  #episode = { connections: 0, since: 0 };
  #trial: NodeJS.Timeout | undefined;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /** Clients that are held: they wait, or one of them tries. */
  get size(): number {
    return this.#places;
  }

  /** Whether who comes now has to stand in line. */
  get hasLine(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a place, kept over all trials until `leave`. @returns false when no place is free */
  join(): boolean {
    if (this.#places >= this.#options.places) return false;
    this.#places += 1;
    if (this.#places === 1) {
      this.#episode = { connections: 0, since: performance.now() };
      this.#options.onChange({ phase: 'began' });
    }
    this.#episode.connections += 1;
    return true;
  }

  /** Waits for its turn to try. */
  wait(held: Held): void {
    this.#waiting.splice(this.#positionOf(held.id), 0, held);
    this.#schedule();
  }

  /** Gives its place up, and its turn if it waits for one. */
  leave(held: Held): void {
    const position = this.#positionOf(held.id);
    if (this.#waiting[position] === held) {
      this.#waiting.splice(position, 1);
      if (this.#waiting.length === 0) this.#quiet();
    }
    this.#places -= 1;
    if (this.#places > 0) return;
    const { connections, since } = this.#episode;
    this.#options.onChange({ phase: 'ended', connections, ms: performance.now() - since });
  }

  /** A candidate has just answered somebody. */
  answered(): void {
    if (this.#waiting.length === 0) return;
    const all = this.#waiting;
    this.#waiting = [];
    this.#quiet();
    for (const held of all) held.retry();
  }

  /** The candidate set has changed: the first tries at once, and the others follow when it is answered. */
  changed(): void {
    if (this.#waiting.length === 0) return;
    this.#quiet();
    this.#try();
  }

  #try(): void {
    this.#trial = undefined;
    // Without a candidate there is nothing to try: a change of the set goes on from here.
    if (!this.#options.hasCandidates()) return;
    const first = this.#waiting.shift();
    first?.retry();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#trial !== undefined || this.#waiting.length === 0 || !this.#options.hasCandidates()) return;
    this.#trial = setTimeout(() => this.#try(), this.#backoff.next());
  }

  #quiet(): void {
    clearTimeout(this.#trial);
    this.#trial = undefined;
    this.#backoff.reset();
  }

  /** The first position whose client came no earlier. */
  #positionOf(id: number): number {
    let [low, high] = [0, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#waiting[middle]?.id ?? Infinity) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
