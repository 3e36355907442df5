import { NOTHING_SAID } from '../../core/endpoint.ts';
import { MemberReader, tooMany } from '../members.ts';
import type { RegistrySourceOptions } from '../registry.ts';
import { SetReporter } from '../set-reporter.ts';
import type { CandidateSource, EmptySurvey, SourceSink } from '../source.ts';
import { Council, type CouncilAnswer } from './council.ts';
import type { SentinelLogin } from './connection.ts';

export interface SentinelSourceOptions extends Omit<RegistrySourceOptions, 'net'>, SentinelLogin {
  /** `host:port` of those that are always asked. */
  readonly sentinels: readonly string[];
  /** Longest time between two looks, ms. Default 5 s. */
  readonly askMs?: number;
  /** Uniform in [0, 1); replaced in tests. */
  readonly random?: () => number;
}

const ASK_MS = 5_000;
/** Looks are spread over this part of the time between two, so that many sidecars do not ask at once. */
const SPREAD = 0.2;
/** Sentinels that disagree, or do not answer, are asked again after so long, then after twice that, and so on. */
const AGAIN_MS = 250;
/** A burst of news costs one look. */
const GATHER_MS = 50;

/** The primary of Redis, or its replicas, as Sentinels know them. */
export function sentinelSource(options: SentinelSourceOptions): CandidateSource {
  return new SentinelSource(options);
}

class SentinelSource implements CandidateSource {
  readonly #options: SentinelSourceOptions;
  readonly #council: Council;
  #life: 'new' | 'running' | 'stopped' = 'new';
  #wake: ((afterMs: number) => void) | undefined;
  /** Something was told while nobody waited. */
  #isNews = false;
  #troubles = 0;

  constructor(options: SentinelSourceOptions) {
    this.#options = options;
    this.#council = new Council({ ...options, name: options.directory, news: () => this.#hear() });
  }

  start(sink: SourceSink): void {
    if (this.#life !== 'new') return;
    this.#life = 'running';
    const { onFailure, policy } = this.#options;
    const reporter = new SetReporter(sink, { onFailure, isRunning: () => this.#isRunning() });
    const reader = new MemberReader(policy, (key, reason) => reporter.ignored(key, reason));
    void this.#follow(reporter, reader);
  }

  survey(): Promise<EmptySurvey> {
    return Promise.resolve({ directory: this.#options.directory, nearest: undefined });
  }

  stop(): Promise<void> {
    this.#life = 'stopped';
    this.#council.close();
    this.#wake?.(0);
    return Promise.resolve();
  }

  async #follow(reporter: SetReporter, reader: MemberReader): Promise<void> {
    while (this.#isRunning()) {
      this.#isNews = false;
      const asked = this.#council.size;
      const answer = await this.#council.ask();
      if (!this.#isRunning()) return;
      this.#judge(answer, reporter, reader);
      // Those that were just learnt have a vote, too.
      if (this.#council.size > asked) this.#isNews = true;
      await this.#pause(this.#waitAfter(answer));
    }
  }

  #judge(answer: CouncilAnswer, reporter: SetReporter, reader: MemberReader): void {
    if (answer.kind !== 'agreed') {
      this.#troubles += 1;
      reporter.failed(answer.fault, true);
      return;
    }
    this.#troubles = 0;
    const excess = tooMany(answer.members.length, this.#options.maxMembers);
    if (excess !== undefined) reporter.failed(excess, false);
    else reporter.synced(reader.read(answer.members.map((member) => [member, NOTHING_SAID])));
  }

  #waitAfter(answer: CouncilAnswer): number {
    const { askMs = ASK_MS, random = Math.random } = this.#options;
    const usual = askMs * (1 - SPREAD * random());
    return answer.kind === 'agreed' ? usual : Math.min(usual, AGAIN_MS * 2 ** (this.#troubles - 1));
  }

  #hear(): void {
    // What follows costs nothing, and does not put the look off.
    if (this.#isNews) return;
    this.#isNews = true;
    this.#wake?.(GATHER_MS);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const arm = (afterMs: number) => {
        clearTimeout(timer);
        timer = setTimeout(end, afterMs);
      };
      this.#wake = (afterMs) => {
        if (!this.#isRunning()) end();
        else arm(Math.min(ms, afterMs));
      };
      if (!this.#isRunning()) end();
      else arm(this.#isNews ? Math.min(ms, GATHER_MS) : ms);
    });
  }

  #isRunning(): boolean {
    return this.#life === 'running';
  }
}
