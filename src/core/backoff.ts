/** Waits between attempts: exponential, with full jitter so that a fleet does not come back in step. */
export interface Backoff {
  /** The next wait in ms; each call doubles the bound up to the maximum. */
  next(): number;
  /** Back to the first bound, after a success. */
  reset(): void;
}

export interface BackoffOptions {
  /** Bound of the first wait, ms. */
  readonly initialMs: number;
  /** Bound of every later wait, ms. */
  readonly maxMs: number;
  /** Least wait, ms: keeps a jitter near 0 from becoming a spin. Default 0. */
  readonly minMs?: number;
  /** Uniform in [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"): uniform between `minMs` and the bound. */
export function fullJitterBackoff(options: BackoffOptions): Backoff {
  const { initialMs, maxMs, minMs = 0, random = Math.random } = options;
  let bound = initialMs;
  return {
    next() {
      const wait = minMs + random() * Math.max(0, bound - minMs);
      bound = Math.min(maxMs, bound * 2);
      return wait;
    },
    reset() {
      bound = initialMs;
    },
  };
}
