import type { CloseReason } from '../core/close-reason.ts';
import type { Relay } from '../transport/engine.ts';

/** The time-outs of a service's connections, ms; 0: none. */
export interface TimeLimitSettings {
  /** No byte either way for this long. */
  readonly idleTimeoutMs: number;
  /** No byte in the open direction for this long after the other has finished. */
  readonly halfCloseTimeoutMs: number;
  /** From accept, give or take 10%, so that connections made together do not end together. Default: 0. */
  readonly maxLifetimeMs?: number | undefined;
  /** Uniform in [0, 1); replaced in tests. */
  readonly random?: (() => number) | undefined;
}

const LIFETIME_SPREAD = 0.1;
/** A connection without a byte for this long is taken to be between two requests, and a FIN to cut nothing short. */
const QUIET_MS = 1_000;
/** What is being ended and still not closed is asked after again, and then reset. */
const LINGER_MS = 1_000;

/** How long one connection may go on: decides, and ends its relay. */
export class TimeLimits {
  readonly #settings: TimeLimitSettings;
  readonly #lifetimeOverAt: number;
  #finishedSides = 0;
  #turnedAt = 0;
  #isEnding = false;

  /** @param acceptedAt `performance.now()` */
  constructor(settings: TimeLimitSettings, acceptedAt: number) {
    const { maxLifetimeMs = 0, random = Math.random } = settings;
    const spread = 1 + LIFETIME_SPREAD * (2 * random() - 1);
    this.#settings = settings;
    this.#lifetimeOverAt = maxLifetimeMs > 0 ? acceptedAt + maxLifetimeMs * spread : Infinity;
  }

  /** Looks at a relay with a side that is not read or has finished. @returns whether it still has one */
  watched(relay: Relay, now: number): boolean {
    const { finishedSides } = relay;
    if (finishedSides !== this.#finishedSides) {
      this.#finishedSides = finishedSides;
      this.#turnedAt = now;
    }
    const { halfCloseTimeoutMs } = this.#settings;
    const isOver = halfCloseTimeoutMs > 0 && now - this.#movedAt(relay) >= halfCloseTimeoutMs;
    if (finishedSides === 1 && isOver) relay.abort('half_close_timeout');
    return relay.needsWatch;
  }

  /**
   * Ends a connection whose idle time-out or lifetime is over.
   *
   * @param connection.relay undefined while there is no candidate
   * @param connection.abort what ends it then
   * @returns when to ask again
   */
  dueAt(
    now: number,
    connection: { readonly relay: Relay | undefined; readonly abort: (reason: CloseReason) => void },
  ): number {
    const { idleTimeoutMs, maxLifetimeMs = 0 } = this.#settings;
    const { relay, abort } = connection;
    const movedAt = relay === undefined ? now : this.#movedAt(relay);
    const idleOverAt = idleTimeoutMs > 0 ? movedAt + idleTimeoutMs : Infinity;
    if (this.#lifetimeOverAt > now && idleOverAt > now) return Math.min(this.#lifetimeOverAt, idleOverAt);
    if (relay === undefined) {
      abort('max_lifetime');
    } else if (idleOverAt <= now) {
      // An idle connection has nothing under way that a FIN could cut short.
      relay.abort('idle_timeout', !this.#isEnding);
    } else {
      const isQuiet = now - movedAt >= Math.min(QUIET_MS, maxLifetimeMs * LIFETIME_SPREAD);
      // One direction that has finished is a transfer that the other is the answer to: not for a FIN of ours to end.
      relay.abort('max_lifetime', !this.#isEnding && isQuiet && relay.finishedSides === 0);
    }
    this.#isEnding = true;
    return now + LINGER_MS;
  }

  #movedAt(relay: Relay): number {
    return Math.max(relay.movedAt, this.#turnedAt);
  }
}
