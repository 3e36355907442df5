import type { LiveState, PastMessage, Sample } from './wire.ts';

/** Samples that are kept, one a second. */
const KEPT = 180;

/** What has been moved in the last minutes, so that a page which is opened or loaded anew need not begin with nothing. */
export class Past {
  #samples: Sample[] = [];

  get samples(): PastMessage {
    return this.#samples;
  }

  add({ services }: LiveState, atMs: number): void {
    const bytes = services.map(({ bytesToCandidate, bytesToClient }) => [bytesToCandidate, bytesToClient] as const);
    this.#samples.push({ atMs, bytes });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  clear(): void {
    this.#samples = [];
  }
}
