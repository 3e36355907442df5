import type { ServiceStatus } from './status.ts';

/** What a candidate is good for. `drained`: somebody said that it gets no new connections. */
export const candidateStates = ['available', 'drained'] as const;

export type CandidateState = (typeof candidateStates)[number];

export function stateOf({ drained }: ServiceStatus, candidate: string): CandidateState {
  return drained.includes(candidate) ? 'drained' : 'available';
}
