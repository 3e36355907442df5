import type { CandidateSource, EmptySurvey } from '../discovery/source.ts';

export interface EmptyWatchOptions {
  readonly source: Pick<CandidateSource, 'survey'>;
  readonly report: (survey: EmptySurvey) => void;
  /** A set that is empty for less is a change under way, ms; default 1 s. */
  readonly patienceMs?: number;
  /** Least time between two reports, and how often one is repeated while the set stays empty, ms; default 1 min. */
  readonly againMs?: number;
}

/** A registry that hangs tells nothing, and is asked by one survey at a time. */
const SURVEY_MS = 5_000;

/** Reports a candidate set that stays empty, with where the candidates may be. Nothing waits for it. */
export class EmptyWatch {
  readonly #options: EmptyWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  /** `performance.now()` of the last report. */
  #reportedAt = Number.NEGATIVE_INFINITY;
  #survey: Promise<EmptySurvey | undefined> | undefined;
  /** Counts changes between empty and not, so that a survey that comes late tells nothing. */
  #epoch = 0;

  constructor(options: EmptyWatchOptions) {
    this.#options = options;
  }

  /** To be told of each set. */
  changed(isEmpty: boolean): void {
    if (!isEmpty) this.stop();
    else if (this.#timer === undefined) {
      const { patienceMs = 1_000, againMs = 60_000 } = this.#options;
      this.#arm(Math.max(patienceMs, this.#reportedAt + againMs - performance.now()));
    }
  }

  stop(): void {
    this.#epoch += 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(this.#epoch), ms);
    this.#timer.unref();
  }

  async #look(epoch: number): Promise<void> {
    const { source, report, againMs = 60_000 } = this.#options;
    this.#survey ??= Promise.resolve(source.survey?.()).finally(() => {
      this.#survey = undefined;
    });
    const found = await within(SURVEY_MS, this.#survey);
    if (epoch !== this.#epoch) return;
    if (found !== undefined) {
      this.#reportedAt = performance.now();
      report(found);
    }
    this.#arm(againMs);
  }
}

/** Undefined when it takes longer, or fails. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
