import type { Address } from '../core/address.ts';
import type { CandidateSource } from './source.ts';

/** Candidates the operator typed: one set, known at once and for good, in the order given. */
export function staticSource(addresses: readonly Address[]): CandidateSource {
  let stopped = false;
  return {
    start(sink) {
      if (stopped) return;
      sink.candidates(addresses);
      sink.state({ status: 'synced', lastOkAt: Date.now(), isFixed: true });
    },
    stop() {
      stopped = true;
      return Promise.resolve();
    },
  };
}
