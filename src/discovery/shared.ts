import type { CandidateSource, EmptySurvey, SourceSink } from './source.ts';

type WholeSet = Parameters<SourceSink['candidates']>[0];
type State = Parameters<SourceSink['state']>[0];

/** Sources by what they follow: those of one process that follow the same share one. */
export class SharedSources {
  readonly #hubs = new Map<string, Hub>();
  readonly #failed: (error: unknown) => void;

  /** @param failed told what a consumer throws */
  constructor(failed: (error: unknown) => void = () => undefined) {
    this.#failed = failed;
  }

  /**
   * A source that follows together with all others of its key. The first that starts begins, the last that stops ends it.
   *
   * @param key says all that makes a difference
   */
  get(key: string, make: () => CandidateSource): CandidateSource {
    let hub: Hub | undefined;
    let own: Follower | undefined;
    let isOver = false;
    return {
      start: (sink) => {
        if (own !== undefined || isOver) return;
        hub = this.#hubs.get(key) ?? this.#open(key, make());
        own = { sink, isNew: false, hasFailed: false };
        hub.join(own);
      },
      survey: () => hub?.survey() ?? Promise.resolve(undefined),
      stop: async () => {
        isOver = true;
        if (hub === undefined || own === undefined || !hub.leave(own)) return;
        // The next that starts begins anew.
        if (this.#hubs.get(key) === hub) this.#hubs.delete(key);
        await hub.stop();
      },
    };
  }

  #open(key: string, source: CandidateSource): Hub {
    const hub = new Hub(source, this.#failed);
    this.#hubs.set(key, hub);
    return hub;
  }
}

interface Follower {
  readonly sink: SourceSink;
  /** It came later, and has not been told yet what is known. */
  isNew: boolean;
  /** It has not taken the set that holds. */
  hasFailed: boolean;
}

/** Keys that are no candidates, for those who come later. */
const MOST_IGNORED = 1_000;

/** One source, and those who follow it. */
class Hub {
  readonly #source: CandidateSource;
  readonly #followers = new Set<Follower>();
  #isStarted = false;
  readonly #failed: (error: unknown) => void;
  readonly #ignored = new Map<string, string>();
  #set: WholeSet | undefined;
  #state: State | undefined;

  constructor(source: CandidateSource, failed: (error: unknown) => void) {
    this.#source = source;
    this.#failed = failed;
  }

  join(follower: Follower): void {
    this.#followers.add(follower);
    if (this.#isStarted) {
      follower.isNew = true;
      // Not in the middle of its start.
      setImmediate(() => this.#catchUp(follower));
      return;
    }
    this.#isStarted = true;
    this.#source.start({
      candidates: (set) => {
        this.#set = set;
        this.#tell((one) => this.#giveSet(one, set));
      },
      state: (state) => {
        this.#state = state;
        this.#tell((one) => this.#giveState(one, state));
      },
      ignored: (key, reason) => {
        if (this.#ignored.size < MOST_IGNORED) this.#ignored.set(key, reason);
        this.#tell(({ sink }) => sink.ignored(key, reason));
      },
      detailIgnored: (key, reason) => this.#tell(({ sink }) => sink.detailIgnored?.(key, reason)),
    });
  }

  /** @returns whether nobody is left */
  leave(follower: Follower): boolean {
    return this.#followers.delete(follower) && this.#followers.size === 0;
  }

  async survey(): Promise<EmptySurvey | undefined> {
    return this.#source.survey?.();
  }

  stop(): Promise<void> {
    return this.#source.stop();
  }

  #catchUp(follower: Follower): void {
    if (!this.#followers.has(follower)) return;
    follower.isNew = false;
    const [set, state] = [this.#set, this.#state];
    for (const [key, reason] of this.#ignored) this.#tellOne(follower, ({ sink }) => sink.ignored(key, reason));
    if (set !== undefined) this.#tellOne(follower, (one) => this.#giveSet(one, set));
    if (state !== undefined) this.#tellOne(follower, (one) => this.#giveState(one, state));
  }

  #tell(what: (follower: Follower) => void): void {
    for (const follower of [...this.#followers]) if (!follower.isNew) this.#tellOne(follower, what);
  }

  /** The trouble of one follower is not that of the others. */
  #tellOne(follower: Follower, what: (follower: Follower) => void): void {
    if (!this.#followers.has(follower)) return;
    try {
      what(follower);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A follower that does not take it is told that it does not know what holds. */
  #giveSet(follower: Follower, set: WholeSet): void {
    follower.hasFailed = true;
    follower.sink.candidates(set);
    follower.hasFailed = false;
  }

  #giveState(follower: Follower, state: State): void {
    try {
      // At each confirmation it has another chance.
      if (follower.hasFailed && this.#set !== undefined) this.#giveSet(follower, this.#set);
    } finally {
      follower.sink.state(follower.hasFailed ? failedAfter(state) : state);
    }
  }
}

const CONSUMER_FAILED = 'the consumer of the candidates failed';

function failedAfter(state: State): State {
  const lastOkAt = 'lastOkAt' in state ? state.lastOkAt : undefined;
  return lastOkAt === undefined
    ? { status: 'starting', error: CONSUMER_FAILED }
    : { status: 'stale', lastOkAt, error: CONSUMER_FAILED };
}
