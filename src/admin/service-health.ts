import type { ServiceStatus } from '../core/status.ts';
import { statesOf, type CandidateState } from './candidate-state.ts';

export const serviceStates = ['serving', 'degraded', 'failing'] as const;

/**
 * Whether a service's clients are served now, whatever readiness says of its listeners and of discovery:
 * - `serving`: every candidate that is meant to be used answers, as far as connections and probes have found;
 * - `degraded`: some do;
 * - `failing`: no candidate answers, the service has no candidate, or no listener listens.
 */
export interface ServiceState {
  readonly state: (typeof serviceStates)[number];
  /** Missing while it is serving. */
  readonly reason?: string;
}

/** How a service stands, by how its candidates stand: the one place that knows what their states mean for clients. */
export function serviceState(service: ServiceStatus): ServiceState {
  const { listeners, known, tls, candidates } = service;
  if (tls?.status === 'loading') return failing('no TLS material yet');
  if (listeners.length > 0 && listeners.every(({ status }) => status.phase === 'failed'))
    return failing('not listening');
  if (!known) return failing('discovery has not answered');
  if (candidates.length === 0) return failing('no candidates');
  const health = new Map(service.candidateStates.map((candidate) => [candidate.key, candidate.health?.state]));
  const isHealthy = (key: string) => health.get(key) === 'healthy';
  const fails = new Map(service.candidateStates.map((candidate) => [candidate.key, candidate.fails]));
  const uses = [...statesOf(service)].map(([key, state]) => {
    const use = useOf(state, fails.get(key) ?? 0);
    if (service.checks === undefined || use === 'unused' || isHealthy(key)) return use;
    // Who has not the role that is asked for is not meant to be used now.
    return service.checks.isStrict ? 'unused' : health.get(key) === 'unhealthy' ? 'fails' : use;
  });
  const meant = uses.filter((use) => use !== 'unused').length;
  const answering = uses.filter((use) => use === 'answers').length;
  if (meant === 0 && service.checks?.isStrict === true) return failing('no healthy candidate');
  if (meant === 0) return failing('every candidate is drained');
  if (answering === 0) return failing('no candidate answers');
  return answering < meant ? { state: 'degraded', reason: `${answering} of ${meant} available` } : { state: 'serving' };
}

/** `degraded: 1 of 3 available`. */
export function stateText({ state, reason }: ServiceState): string {
  return reason === undefined ? state : `${state}: ${reason}`;
}

/** The worst of several. */
export function worstState(states: readonly ServiceState['state'][]): ServiceState['state'] {
  return states.includes('failing') ? 'failing' : states.includes('degraded') ? 'degraded' : 'serving';
}

/** @param fails connect failures in a row: one that failed last time does not answer, ejected or not yet */
function useOf(state: CandidateState, fails: number): 'answers' | 'fails' | 'unused' {
  switch (state) {
    case 'available':
      return fails === 0 ? 'answers' : 'fails';
    case 'ejected':
    case 'probing':
      return 'fails';
    case 'drained':
    case 'unassigned':
      return 'unused';
  }
}

function failing(reason: string): ServiceState {
  return { state: 'failing', reason };
}
