import type { Address } from '../core/address.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { SourceState } from '../core/status.ts';

/**
 * Where a service's candidates come from. A source yields whole sets, never differences; what it yields is
 * always its best knowledge, so a consumer swaps the set and is done.
 */
export interface CandidateSource {
  /** Starts looking; returns at once. Nothing the backend does ever throws out of a source. */
  start(sink: SourceSink): void;
  /** Ends every socket, watcher and timer. May be called twice, and before `start`. */
  stop(): Promise<void>;
  /**
   * For an empty set: the directory that was listed, and the nearest directory with members. Bounded in cost; undefined
   * when nothing can be said.
   * Absent where there is no registry. Never rejects.
   */
  survey?(): Promise<EmptySurvey | undefined>;
}

/** The directory without members that was listed, and the nearest one with members. */
export interface EmptySurvey {
  /** The directory that was listed. */
  readonly directory: string;
  /** The nearest directory with members; undefined: no directory nearby has members, or the registry did not answer. */
  readonly nearest: NearestMembers | undefined;
}

/** A directory of the registry that has members. */
export interface NearestMembers {
  /** The directory's name in the registry. */
  readonly directory: string;
  /** How many members were seen there. */
  readonly members: number;
}

/** The reports of a source. Calls come from the event loop, in order, and never after `stop()` has been called. */
export interface SourceSink {
  /** The whole set, in the order candidates are tried; a bare address has the usual weight and priority. May repeat the set already reported. */
  candidates(set: readonly (Endpoint | Address)[]): void;
  /** The state of the source itself; called on each change of `status` and each success. */
  state(state: SourceState): void;
  /**
   * Reports a key that is not a usable address, once for each key as long as it stays. `key` is raw: escape before
   * showing.
   */
  ignored(key: string, reason: string): void;
  /**
   * Reports a detail of a member that cannot be used: the member stays, and the detail has its default. Reported once
   * per key and reason as long
   * as it stays. `key` is raw: escape before showing.
   */
  detailIgnored?(key: string, reason: string): void;
}
