import type { LookupFunction } from 'node:net';
import type { SourceState } from '../core/status.ts';

/** A text that stands at one key of a registry, followed. It never throws and never ends by itself. */
export interface TextSource {
  /** Starts looking; returns at once. */
  start(sink: TextSink): void;
  /** Ends every socket and timer. May be called twice, and before `start`. */
  stop(): Promise<void>;
}

/** The reports of a source. Calls come from the event loop, in order, and never after `stop()` has been called. */
export interface TextSink {
  /** What stands there now. May repeat what was already reported. */
  found(found: FoundText): void;
  /** Whether the registry answers; called on each change of `status` and each success. */
  state(state: SourceState): void;
}

export interface FoundText {
  /** Undefined: there is no such key. */
  readonly text: string | undefined;
  /** Of its last change, as the registry counts; undefined where it does not. */
  readonly revision: string | undefined;
}

export interface TextSourceOptions {
  /** One leading slash, no trailing one: `/attache/web`. */
  readonly key: string;
  /** Looks names of the registry's servers up. */
  readonly lookup: LookupFunction;
}
