import type { CandidateStatus, ServiceStatus } from '../core/status.ts';

/**
 * What a candidate is good for:
 * - `available`: new connections go to it;
 * - `ejected`: it failed too often to be used while there are others; `probing`: one connection finds out whether it still does;
 * - `drained`: somebody said that it gets no new connections;
 * - `unassigned`: in cluster mode there is no listener for it.
 */
export const candidateStates = ['available', 'ejected', 'probing', 'drained', 'unassigned'] as const;

export type CandidateState = (typeof candidateStates)[number];

/** How the candidates of a service stand, by address. */
export function statesOf(service: ServiceStatus): ReadonlyMap<string, CandidateState> {
  const known = new Map(service.candidateStates.map((candidate: CandidateStatus) => [candidate.key, candidate.state]));
  const drained = new Set(service.drained);
  return new Map(
    service.candidates.map((key) => [key, drained.has(key) ? 'drained' : (known.get(key) ?? 'unassigned')] as const),
  );
}
