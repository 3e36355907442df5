import type { CandidateSource, EmptySurvey, SourceSink } from './source.ts';

type WholeSet = Parameters<SourceSink['candidates']>[0];
type State = Parameters<SourceSink['state']>[0];

/** Sources by what they follow: those of one process that follow the same share one. */
export class SharedSources {
  readonly #hubs = new Map<string, Hub>();

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
        own = { sink, isNew: false };
        hub.join(own);
      },
      survey: () => hub?.survey() ?? Promise.resolve(undefined),
      stop: async () => {
        isOver = true;
        if (hub === undefined || own === undefined || !hub.leave(own)) return;
        // Whoever starts from now on begins anew.
        if (this.#hubs.get(key) === hub) this.#hubs.delete(key);
        await hub.stop();
      },
    };
  }

  #open(key: string, source: CandidateSource): Hub {
    const hub = new Hub(source);
    this.#hubs.set(key, hub);
    return hub;
  }
}

interface Follower {
  readonly sink: SourceSink;
  /** It came later, and has not been told yet what is known. */
  isNew: boolean;
}

/** One source, and those who follow it. */
class Hub {
  readonly #source: CandidateSource;
  readonly #followers = new Set<Follower>();
  #isStarted = false;
  #set: WholeSet | undefined;
  #state: State | undefined;

  constructor(source: CandidateSource) {
    this.#source = source;
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
        this.#tell((sink) => sink.candidates(set));
      },
      state: (state) => {
        this.#state = state;
        this.#tell((sink) => sink.state(state));
      },
      ignored: (key, reason) => this.#tell((sink) => sink.ignored(key, reason)),
      detailIgnored: (key, reason) => this.#tell((sink) => sink.detailIgnored?.(key, reason)),
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
    if (set !== undefined) this.#tellOne(follower, (sink) => sink.candidates(set));
    if (state !== undefined) this.#tellOne(follower, (sink) => sink.state(state));
  }

  #tell(what: (sink: SourceSink) => void): void {
    for (const follower of [...this.#followers]) if (!follower.isNew) this.#tellOne(follower, what);
  }

  /** The trouble of one follower is not that of the others: it alone is told that it does not know what holds. */
  #tellOne(follower: Follower, what: (sink: SourceSink) => void): void {
    if (!this.#followers.has(follower)) return;
    try {
      what(follower.sink);
    } catch {
      try {
        follower.sink.state(failedAfter(this.#state));
      } catch {
        // There is nobody else to tell.
      }
    }
  }
}

const CONSUMER_FAILED = 'the consumer of the candidates failed';

function failedAfter(state: State | undefined): State {
  const lastOkAt = state !== undefined && 'lastOkAt' in state ? state.lastOkAt : undefined;
  return lastOkAt === undefined
    ? { status: 'starting', error: CONSUMER_FAILED }
    : { status: 'stale', lastOkAt, error: CONSUMER_FAILED };
}
