import type { Address } from '../core/address.ts';

/**
 * Where a service's candidates come from. A source yields whole sets, never differences; what it yields is
 * always its best knowledge, so a consumer swaps the set and is done.
 */
export interface CandidateSource {
  /** Starts looking; returns at once. Nothing the backend does ever throws out of a source. */
  start(sink: SourceSink): void;
  /** Ends every socket, watcher and timer. May be called twice, and before `start`. */
  stop(): Promise<void>;
}

/** What a source reports. Calls come from the event loop, in order, and never after `stop()` has been called. */
export interface SourceSink {
  /** The whole set, in the order candidates are tried. May repeat the set already reported. */
  candidates(set: readonly Address[]): void;
  /** The state of the source itself; called on each change of `status` and each success. */
  state(state: SourceState): void;
  /** A key that is no usable address, reported once per key as long as it stays. `key` is raw: escape before showing. */
  ignored(key: string, reason: string): void;
}

/**
 * - `starting`: no answer yet;
 * - `synced`: what was reported is what the backend holds;
 * - `stale`: the backend cannot be reached or believed; the last good set (if any) is in force.
 */
export type SourceState =
  | { readonly status: 'starting'; readonly error?: string }
  | {
      readonly status: 'synced';
      readonly lastOkAt: number;
      readonly counters?: SourceCounters;
      /** Listed by the operator: never looked for, never stale. */
      readonly isFixed?: true;
    }
  | {
      readonly status: 'stale';
      /** `Date.now()` of the last time the backend confirmed the set; undefined when it never did. */
      readonly lastOkAt: number | undefined;
      /** Class and text of the fault, without secrets. */
      readonly error: string;
      readonly counters?: SourceCounters;
    };

/** Things an operator wants to see counted; all since start. */
export interface SourceCounters {
  /** Sessions with the backend that were begun. */
  readonly sessions: number;
  /** Times the backend came back with a revision below the one we held. */
  readonly regressions: number;
  /** Times a re-read contradicted what the watch had said. */
  readonly mismatches: number;
}
