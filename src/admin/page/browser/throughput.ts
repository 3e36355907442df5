import type { LiveState, Sample } from '../wire.ts';

/** How much time the lines show, and in how many steps. */
const SHOWN_MS = 180_000;
const STEPS = 60;
const RATE_OVER_MS = 3_000;
/** States come a second apart; when there was none for longer, nothing moved. */
const QUIET_MS = 1_500;

export interface Rates {
  /** Bytes a second of each step, oldest first; undefined where nothing is known. */
  readonly sent: readonly (number | undefined)[];
  readonly received: readonly (number | undefined)[];
  readonly sentNow: number | undefined;
  readonly receivedNow: number | undefined;
}

type Direction = 0 | 1;

/** What each service has moved in the last minutes. */
export class Throughput {
  #samples: Sample[] = [];
  /** What came in between is not known. */
  #isAfterGap = true;

  /** Another process counts from 0 again. */
  clear(): void {
    this.#samples = [];
    this.#isAfterGap = true;
  }

  cutOff(): void {
    this.#isAfterGap = true;
  }

  /** @param past what the server has noted every few seconds, also while the page was not there */
  begin(past: readonly Sample[]): void {
    const before = this.#samples.at(-1)?.atMs ?? -Infinity;
    this.#samples = [...this.#samples, ...past.filter(({ atMs }) => atMs > before)];
    this.#isAfterGap = true;
  }

  add({ services }: LiveState, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs <= last.atMs) return;
    if (last !== undefined && !this.#isAfterGap && nowMs - last.atMs > QUIET_MS) {
      this.#samples.push({ atMs: nowMs - QUIET_MS / 1.5, bytes: last.bytes });
    }
    const bytes = services.map(({ bytesToCandidate, bytesToClient }) => [bytesToCandidate, bytesToClient] as const);
    this.#samples.push({ atMs: nowMs, bytes });
    this.#isAfterGap = false;
    const oldest = this.#samples.findIndex(({ atMs }) => atMs > nowMs - SHOWN_MS - RATE_OVER_MS);
    if (oldest > 1) this.#samples.splice(0, oldest - 1);
  }

  of(service: number, nowMs: number): Rates {
    return {
      sent: this.#line({ service, direction: 0 }, nowMs),
      received: this.#line({ service, direction: 1 }, nowMs),
      sentNow: this.#rate({ service, direction: 0 }, nowMs - RATE_OVER_MS, nowMs),
      receivedNow: this.#rate({ service, direction: 1 }, nowMs - RATE_OVER_MS, nowMs),
    };
  }

  #line(what: What, nowMs: number): readonly (number | undefined)[] {
    const step = SHOWN_MS / STEPS;
    // Steps stand still, so that a peak does not change its height while it moves to the left.
    const end = Math.floor(nowMs / step) * step;
    return Array.from({ length: STEPS }, (_, place) => {
      const from = end - (STEPS - place) * step;
      return this.#rate(what, from, from + step);
    });
  }

  #rate(what: What, fromMs: number, toMs: number): number | undefined {
    const [from, to] = [this.#bytesAt(what, fromMs), this.#bytesAt(what, toMs)];
    if (from === undefined || to === undefined) return undefined;
    return Math.max(0, ((to - from) * 1_000) / (toMs - fromMs));
  }

  /** Between two samples as if it had moved evenly; since the last, not at all. */
  #bytesAt({ service, direction }: What, atMs: number): number | undefined {
    const place = this.#samples.findLastIndex((sample) => sample.atMs <= atMs);
    const [before, after] = [this.#samples[place], this.#samples[place + 1]];
    const low = before?.bytes[service]?.[direction];
    const high = after?.bytes[service]?.[direction];
    if (before === undefined || low === undefined) return undefined;
    if (after === undefined || high === undefined) return low;
    return low + ((high - low) * (atMs - before.atMs)) / (after.atMs - before.atMs);
  }
}

interface What {
  /** Its place in `LiveState.services`. */
  readonly service: number;
  readonly direction: Direction;
}
