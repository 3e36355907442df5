import type { TlsMaterial } from './material.ts';

export interface ExpiryWatchOptions {
  /** `Date.now`, replaced in tests. */
  readonly now: () => number;
  /** Called when the material ends within 7 days, or has ended; once a day as long as that is so. */
  readonly report: (material: TlsMaterial, notAfterMs: number) => void;
}

const DAY_MS = 86_400_000;
const NOTICE_MS = 7 * DAY_MS;
const EVERY_MS = 3_600_000;

/** Tells in time that material is about to expire, also while nobody looks for new one. */
export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #material: TlsMaterial | undefined;
  /** When it was last told of this material. */
  #toldAt: number | undefined;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.check(), EVERY_MS).unref();
  }

  /** The material to watch from now on. */
  watch(material: TlsMaterial): void {
    this.#material = material;
    this.#toldAt = undefined;
    this.check();
  }

  check(): void {
    const { now, report } = this.#options;
    const time = now();
    const notAfterMs = this.#material?.notAfterMs;
    if (this.#material === undefined || notAfterMs === undefined || notAfterMs - time > NOTICE_MS) return;
    // A clock that was set back must not silence it.
    if (this.#toldAt !== undefined && Math.abs(time - this.#toldAt) < DAY_MS) return;
    this.#toldAt = time;
    report(this.#material, notAfterMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#material = undefined;
  }
}
