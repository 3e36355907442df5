import { formatAddress } from '../core/address.ts';
import type { SourceState } from '../discovery/source.ts';
import type { ListenerStatus, ProcessStatus, ServiceStatus, TlsStatus } from './status.ts';

/** Whether clients may be sent here, and if not, why: the answer of `/readyz`. */
export interface Health {
  readonly ready: boolean;
  readonly services: readonly ServiceHealth[];
}

export interface ServiceHealth {
  readonly name: string;
  readonly ready: boolean;
  /** Empty when ready. */
  readonly reasons: readonly string[];
  readonly listeners: readonly ListenerHealth[];
  /** How many there are; `/status` says who. */
  readonly candidates: number;
  readonly connections: number;
  /** A stale set still serves, so this makes nothing unready. */
  readonly discovery: DiscoveryHealth;
  /** Missing without TLS. `stale`: the last look failed, and what was read before serves on. */
  readonly tls?: TlsHealth;
}

export interface TlsHealth {
  readonly status: TlsStatus['status'];
  readonly error?: string;
  /** When our own certificate expires, ISO 8601. */
  readonly notAfter?: string;
}

export interface ListenerHealth {
  readonly address: string;
  readonly state: 'opening' | 'closed' | 'listening' | 'failed' | 'waiting';
  readonly errno?: string;
}

export interface DiscoveryHealth {
  readonly status: SourceState['status'];
  readonly error?: string;
  /** How long ago the backend last confirmed the set, ms; missing when it never did. */
  readonly lastOkAgeMs?: number;
}

export interface HealthOptions {
  /** A service with fewer candidates is not ready. */
  readonly minCandidates: number;
  /** `Date.now()`. */
  readonly now: number;
}

/** Judges each service by itself; the process is ready when all are. */
export function judgeHealth(status: ProcessStatus, options: HealthOptions): Health {
  const services = status.services.map((service) => judgeService(service, status.phase, options));
  return { ready: status.phase === 'serving' && services.every(({ ready }) => ready), services };
}

function judgeService(service: ServiceStatus, phase: ProcessStatus['phase'], options: HealthOptions): ServiceHealth {
  const reasons = reasonsOf(service, phase, options.minCandidates);
  return {
    name: service.name,
    ready: reasons.length === 0,
    reasons,
    listeners: service.listeners.map(listenerHealth),
    candidates: service.candidates.length,
    connections: service.connections,
    discovery: discoveryHealth(service.discovery, options.now),
    ...(service.tls && { tls: tlsHealth(service.tls) }),
  };
}

function reasonsOf(service: ServiceStatus, phase: ProcessStatus['phase'], minCandidates: number): readonly string[] {
  // Listeners that are closed then are no fault of their own.
  if (phase !== 'serving') return [phase === 'new' ? 'not started' : 'draining'];
  return [...tlsReasons(service), ...listenerReasons(service), ...candidateReasons(service, minCandidates)];
}

function tlsReasons({ tls }: ServiceStatus): readonly string[] {
  if (tls?.status !== 'loading') return [];
  return [tls.error === undefined ? 'no TLS material yet' : `no TLS material yet: ${tls.error}`];
}

function listenerReasons({ listeners, known }: ServiceStatus): readonly string[] {
  // Fewer candidates than listeners is how cluster mode is used; no listener at all serves nobody.
  if (known && listeners.every(({ status }) => status.phase === 'waiting')) return ['no listener has a candidate'];
  return listeners.flatMap(({ asked, status }) => {
    switch (status.phase) {
      case 'listening':
      case 'waiting':
        return [];
      case 'failed':
        return [`not listening on ${formatAddress(asked)}: ${status.errno}`];
      case 'opening':
      case 'closed':
        return [`not listening on ${formatAddress(asked)} yet`];
    }
  });
}

function candidateReasons(service: ServiceStatus, min: number): readonly string[] {
  const { known, candidates, drained, discovery } = service;
  if (!known) {
    const error = 'error' in discovery ? discovery.error : undefined;
    return [error === undefined ? 'discovery has not answered yet' : `discovery has not answered yet: ${error}`];
  }
  const usable = candidates.length - drained.length;
  return usable < min ? [`too few candidates: ${usable} of ${min}`] : [];
}

function listenerHealth({ asked, status }: ListenerStatus): ListenerHealth {
  const address = formatAddress(status.phase === 'listening' ? status.address : asked);
  return status.phase === 'failed'
    ? { address, state: 'failed', errno: status.errno }
    : { address, state: status.phase };
}

function discoveryHealth(state: SourceState, now: number): DiscoveryHealth {
  const lastOkAt = state.status === 'starting' ? undefined : state.lastOkAt;
  const error = 'error' in state ? state.error : undefined;
  return {
    status: state.status,
    ...(error === undefined ? {} : { error }),
    // A clock that was set back must not show an age below zero.
    ...(lastOkAt === undefined ? {} : { lastOkAgeMs: Math.max(0, now - lastOkAt) }),
  };
}

function tlsHealth({ status, error, notAfterMs }: TlsStatus): TlsHealth {
  return {
    status,
    ...(error === undefined ? {} : { error }),
    ...(notAfterMs === undefined ? {} : { notAfter: new Date(notAfterMs).toISOString() }),
  };
}
