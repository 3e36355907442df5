import type { CloseReason, EndedBy } from '../../core/close-reason.ts';
import { isPeerReset } from '../../core/errors.ts';
import type { Relay, RelayOptions } from '../engine.ts';
import type { NativeCandidate } from './candidate.ts';
import type { ClientCarrier, NativeClient } from './client.ts';
import { failureCode } from './failure-code.ts';
import { LIVE } from './live.ts';
import type { Records } from './records.ts';
import type { NativeThread } from './thread.ts';

/** `native/relay.h`, enum ended_by. */
const SIDES = ['client', 'candidate', 'attache'] as const satisfies readonly EndedBy[];
/** The same, enum over_reason. */
const REASON = { finished: 0, reset: 1, error: 2, aborted: 3, truncated: 4 } as const;

/** The same with what this engine has of the two sides. */
export interface NativeRelayOptions extends Omit<RelayOptions, 'client' | 'candidate'> {
  readonly client: NativeClient;
  readonly candidate: NativeCandidate;
}

/** How it ended. */
interface Outcome {
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  readonly movedAt: number;
  readonly unclean: boolean;
}

/** A relay in the thread: what it does is told by its client, what it counts is read out of memory that the thread writes. */
export class NativeRelay implements Relay, ClientCarrier {
  readonly #options: NativeRelayOptions;
  readonly #thread: NativeThread;
  #startedAt = 0;
  #abortReason: CloseReason | undefined;
  #outcome: Outcome | undefined;

  constructor(options: NativeRelayOptions) {
    this.#options = options;
    this.#thread = options.client.thread;
  }

  get bytesToCandidate(): number {
    return this.#outcome?.bytesToCandidate ?? this.#thread.live.taken(this.#options.candidate.slot);
  }

  get bytesToClient(): number {
    return this.#outcome?.bytesToClient ?? this.#thread.live.taken(this.#options.client.slot);
  }

  get unclean(): boolean {
    return this.#outcome?.unclean ?? this.#isUnclean;
  }

  get movedAt(): number {
    if (this.#outcome !== undefined) return this.#outcome.movedAt;
    const { live } = this.#thread;
    const { client, candidate } = this.#options;
    const last = Math.max(live.movedAt(client.slot), live.movedAt(candidate.slot));
    return Math.max(this.#startedAt, this.#thread.moment(last));
  }

  get finishedSides(): number {
    if (this.#outcome !== undefined) return 2;
    const isFinished = (flags: number): number => Number((flags & (LIVE.finished | LIVE.closed)) !== 0);
    return this.#flags.reduce((sum, flags) => sum + isFinished(flags), 0);
  }

  get needsWatch(): boolean {
    if (this.#outcome !== undefined || this.#isWatchable) return true;
    this.#thread.live.forgetWatch(this.#options.client.slot);
    // What came between the two would not have been told.
    return this.#isWatchable;
  }

  start(): void {
    const { client, candidate } = this.#options;
    this.#startedAt = performance.now();
    candidate.carriedBy(client);
    if (client.carriedBy(this)) {
      this.#thread.commands.relay(client, candidate);
      return;
    }
    candidate.reset();
    setImmediate(() => this.clientGone(0));
  }

  abort(reason: CloseReason, gently = false): void {
    if (this.#outcome !== undefined) return;
    this.#abortReason ??= reason;
    this.#thread.commands.abort(this.#options.client, gently);
  }

  keepAlive(keepAliveMs: number): void {
    if (this.#outcome === undefined && keepAliveMs > 0)
      this.#thread.commands.keepAlive(this.#options.candidate, keepAliveMs);
  }

  probe(): void {
    if (this.#outcome === undefined) this.#thread.commands.probe(this.#options.client);
  }

  /** A side is not read, has finished or is gone. */
  needsToBeWatched(): void {
    this.#options.onNeedsWatch?.();
  }

  /** The thread has closed both. */
  over(records: Records): void {
    const { bytesToCandidate, bytesToClient, endedBy, reason, code } = records;
    this.#end({ bytesToCandidate, bytesToClient });
    this.#options.candidate.over();
    const side = SIDES[endedBy] ?? 'attache';
    if (reason === REASON.aborted || side === 'attache') {
      this.#options.onClosed('attache', this.#abortReason ?? 'internal_error');
    } else if (reason === REASON.finished) {
      this.#options.onClosed(side, 'finished');
    } else if (reason === REASON.truncated) {
      this.#options.onClosed(side, `${side}_truncated`);
    } else {
      const failed = side === 'client' ? this.#options.client : this.#options.candidate;
      this.#options.onFailed?.(side, failureCode(failed, code));
      this.#options.onClosed(side, reason === REASON.reset ? `${side}_reset` : `${side}_error`);
    }
  }

  /** The client had gone before the thread heard of this relay; the thread closes the candidate. */
  clientGone(code: number): void {
    if (this.#outcome !== undefined) return;
    this.#end({ bytesToCandidate: 0, bytesToClient: 0 });
    const errno = failureCode(this.#options.client, code);
    if (code !== 0) this.#options.onFailed?.('client', errno);
    this.#options.onClosed('client', code === 0 || isPeerReset(errno) ? 'client_reset' : 'client_error');
  }

  get #flags(): readonly number[] {
    const { client, candidate } = this.#options;
    return [this.#thread.live.flags(client.slot), this.#thread.live.flags(candidate.slot)];
  }

  get #isUnclean(): boolean {
    return this.#flags.some((flags) => (flags & LIVE.unclean) !== 0);
  }

  get #isWatchable(): boolean {
    return this.#flags.some((flags) => (flags & (LIVE.waits | LIVE.ended | LIVE.closed)) !== 0);
  }

  #end(bytes: Pick<Outcome, 'bytesToCandidate' | 'bytesToClient'>): void {
    this.#outcome = { ...bytes, movedAt: this.movedAt, unclean: this.#isUnclean };
  }
}
