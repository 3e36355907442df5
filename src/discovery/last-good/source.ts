import { checkDetails, NOTHING_SAID, toEndpoint, type Endpoint } from '../../core/endpoint.ts';
import type { DialPolicy } from '../../core/dial-policy.ts';
import type { LastGoodFile } from './file.ts';
import { lastGoodMember, type LastGoodMember, type LastGoodSet } from './text.ts';
import { MemberReader, type RegistryMember } from '../members.ts';
import type { SourceState } from '../../core/status.ts';
import type { CandidateSource, EmptySurvey, SourceSink } from '../source.ts';

export interface LastGoodOptions {
  readonly file: LastGoodFile;
  /** Identifies the service directory in the file. */
  readonly key: string;
  /** The file may have been written by others, so its addresses pass what discovered ones pass. */
  readonly policy: DialPolicy;
  /** How long a backend that reports no fault may take to answer before the file is used, ms. Default 1000. */
  readonly patienceMs?: number;
}

const NO_ANSWER = 'no answer from the registry yet';

/**
 * A source that begins with the set of the last time while its backend cannot be reached. Until the backend answers that
 * set counts as stale; if the backend is the first, the file is not used. What the backend says is kept for the next time.
 *
 * A set that was empty the last time is not put in force: it serves nobody, and the service would look as if it knew.
 */
export function lastGoodSource(source: CandidateSource, options: LastGoodOptions): CandidateSource {
  return new LastGoodSource(source, options);
}

type Phase =
  | { readonly kind: 'new' | 'confirmed' | 'stopped' }
  /** Nothing is in force. `fault`: why the backend has not answered, once that is known. */
  | { readonly kind: 'asking'; readonly fault?: string; readonly found?: LastGoodSet }
  /** The file's set is in force. */
  | { readonly kind: 'assumed'; readonly since: number };

class LastGoodSource implements CandidateSource {
  readonly #source: CandidateSource;
  readonly #options: LastGoodOptions;
  #phase: Phase = { kind: 'new' };
  #patience: NodeJS.Timeout | undefined;

  constructor(source: CandidateSource, options: LastGoodOptions) {
    this.#source = source;
    this.#options = options;
  }

  start(sink: SourceSink): void {
    if (this.#phase.kind !== 'new') return;
    this.#phase = { kind: 'asking' };
    const { patienceMs = 1_000 } = this.#options;
    this.#patience = setTimeout(() => this.#late(sink), patienceMs);
    void this.#look(sink);
    this.#source.start({
      candidates: (set) => this.#confirmed(set.map(toEndpoint), sink),
      state: (state) => this.#state(state, sink),
      ignored: (key, reason) => {
        if (this.#phase.kind !== 'stopped') sink.ignored(key, reason);
      },
      detailIgnored: (key, reason) => {
        if (this.#phase.kind !== 'stopped') sink.detailIgnored?.(key, reason);
      },
    });
  }

  async survey(): Promise<EmptySurvey | undefined> {
    return this.#source.survey?.();
  }

  async stop(): Promise<void> {
    this.#phase = { kind: 'stopped' };
    clearTimeout(this.#patience);
    await Promise.all([this.#source.stop(), this.#options.file.flush()]);
  }

  async #look(sink: SourceSink): Promise<void> {
    const found = await this.#options.file.find(this.#options.key);
    if (this.#phase.kind !== 'asking' || found === undefined) return;
    this.#phase = { ...this.#phase, found };
    this.#assume(sink);
  }

  #late(sink: SourceSink): void {
    if (this.#phase.kind !== 'asking' || this.#phase.fault !== undefined) return;
    this.#phase = { ...this.#phase, fault: NO_ANSWER };
    this.#assume(sink);
  }

  /** Puts the file's set in force, once there is one and the backend is known to be in trouble. */
  #assume(sink: SourceSink): void {
    if (this.#phase.kind !== 'asking') return;
    const { fault, found } = this.#phase;
    if (fault === undefined || found === undefined) return;
    const { policy } = this.#options;
    const reader = new MemberReader(
      policy,
      (key, reason) => sink.ignored(key, `in STATE_FILE: ${reason}`),
      (key, reason) => sink.detailIgnored?.(key, `in STATE_FILE: ${reason}`),
    );
    const set = reader.read(found.members.map(registered));
    if (set.length === 0) {
      this.#phase = { kind: 'asking', fault };
      return;
    }
    this.#phase = { kind: 'assumed', since: found.since };
    sink.candidates(set);
    sink.state(unconfirmed(found.since, fault));
  }

  #confirmed(set: readonly Endpoint[], sink: SourceSink): void {
    if (this.#phase.kind === 'stopped') return;
    clearTimeout(this.#patience);
    this.#phase = { kind: 'confirmed' };
    sink.candidates(set);
    const { file, key } = this.#options;
    file.keep(key, set.map(lastGoodMember));
  }

  #state(state: SourceState, sink: SourceSink): void {
    if (this.#phase.kind === 'stopped') return;
    if (state.status === 'starting' && this.#phase.kind === 'assumed') {
      sink.state(unconfirmed(this.#phase.since, state.error ?? NO_ANSWER));
      return;
    }
    if (state.status === 'starting' && state.error !== undefined && this.#phase.kind === 'asking') {
      this.#phase = { ...this.#phase, fault: state.error };
      this.#assume(sink);
      if (this.#isAssumed) return;
    }
    sink.state(state);
  }

  get #isAssumed(): boolean {
    return this.#phase.kind === 'assumed';
  }
}

/** A member of the file as if a registry held it. */
function registered(member: LastGoodMember): RegistryMember {
  return typeof member === 'string' ? [member, NOTHING_SAID] : [member.address, checkDetails(member)];
}

function unconfirmed(since: number, fault: string): SourceState {
  const error = `set of ${new Date(since).toISOString()} from STATE_FILE, not confirmed: ${fault}`;
  return { status: 'stale', lastOkAt: since, error };
}
