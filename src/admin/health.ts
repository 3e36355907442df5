import { formatAddress } from '../core/address.ts';
import { explained, hinted } from '../core/errno-hint.ts';
import type {
  ListenerStatus,
  ProcessStatus,
  RegistrationStatus,
  ServiceStatus,
  SourceState,
  TlsStatus,
} from '../core/status.ts';

/** Whether clients may be sent here, and if not, why: the answer of `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  /** Of the process as a whole; missing when there are none. */
  readonly reasons?: readonly string[];
  readonly services: readonly ServiceReadiness[];
}

export interface ServiceReadiness {
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
  /** Missing on a service that does not register itself. One that is not registered makes nothing unready. */
  readonly registrations?: readonly RegistrationHealth[];
  /** Missing without TLS. `stale`: the last look failed, and what was read before serves on. */
  readonly tls?: TlsHealth;
}

export interface TlsHealth {
  readonly status: TlsStatus['status'];
  readonly error?: string;
  /** When our own certificate expires, ISO 8601. */
  readonly notAfter?: string;
}

export interface RegistrationHealth {
  /** As `REGISTER` names it. */
  readonly directory: string;
  readonly phase: RegistrationStatus['phase'];
  readonly error?: string;
}

export interface ListenerHealth {
  readonly address: string;
  readonly state: 'opening' | 'closed' | 'listening' | 'failed' | 'waiting';
  readonly errno?: string;
  /** What the errno means and what to do, where its name does not say. */
  readonly hint?: string;
  /** All addresses that it listens on, where a name has several. */
  readonly addresses?: readonly string[];
}

export interface DiscoveryHealth {
  readonly status: SourceState['status'];
  readonly error?: string;
  /** How long ago the backend last confirmed the set, ms; missing when it never did. */
  readonly lastOkAgeMs?: number;
}

export interface ReadinessOptions {
  /** A service with fewer candidates is not ready. */
  readonly minCandidates: number;
  /** `Date.now()`. */
  readonly now: number;
}

/** Judges each service by itself; the process is ready when all are. */
export function judgeHealth(status: ProcessStatus, options: ReadinessOptions): Readiness {
  const services = status.services.map((service) => judgeService(service, status.phase, options));
  const reasons = processReasons(status);
  const ready = status.phase === 'serving' && reasons.length === 0 && services.every((one) => one.ready);
  return { ready, ...(reasons.length > 0 && { reasons }), services };
}

/** Without its first list of services there is nobody to be sent here for. */
function processReasons({ configuration }: ProcessStatus): readonly string[] {
  const followed = configuration?.followed;
  if (followed?.isAwaited === undefined) return [];
  const { key, phase, error } = followed;
  const isRefused = configuration?.rejected !== undefined;
  const usual = isRefused ? 'its list was refused' : phase === 'missing' ? 'there is no such key' : 'no answer yet';
  return [`no services from SERVICES_KEY ${key}: ${error ?? usual}`];
}

function judgeService(
  service: ServiceStatus,
  phase: ProcessStatus['phase'],
  options: ReadinessOptions,
): ServiceReadiness {
  const reasons = reasonsOf(service, phase, options.minCandidates);
  return {
    name: service.name,
    ready: reasons.length === 0,
    reasons,
    listeners: service.listeners.map(listenerHealth),
    candidates: service.candidates.length,
    connections: service.connections,
    discovery: discoveryHealth(service.discovery, options.now),
    ...(service.registrations && { registrations: service.registrations.map(registrationHealth) }),
    ...(service.tls && { tls: tlsHealth(service.tls) }),
  };
}

function registrationHealth({ directory, phase, error }: RegistrationStatus): RegistrationHealth {
  return { directory, phase, ...(error !== undefined && { error }) };
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
  // A service that only registers has none.
  const isIdle = listeners.length > 0 && listeners.every(({ status }) => status.phase === 'waiting');
  if (known && isIdle) return ['no listener has a candidate'];
  return listeners.flatMap(({ asked, status }) => {
    switch (status.phase) {
      case 'listening':
      case 'waiting':
        return [];
      case 'failed':
        return [`not listening on ${formatAddress(asked)}: ${explained(status.errno)}`];
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
  const usable = service.checks === undefined ? candidates.length - drained.length : healthyOf(service);
  const what = service.checks === undefined ? 'candidates' : 'healthy candidates';
  return usable < min ? [`too few ${what}: ${usable} of ${min}`] : [];
}

/** Those that checks have found healthy, and nobody has drained. */
function healthyOf({ candidateStates, drained }: ServiceStatus): number {
  const out = new Set(drained);
  return candidateStates.filter(({ key, health }) => health?.state === 'healthy' && !out.has(key)).length;
}

function listenerHealth({ asked, status }: ListenerStatus): ListenerHealth {
  const address = formatAddress(status.phase === 'listening' ? status.address : asked);
  switch (status.phase) {
    case 'failed':
      return { address, state: 'failed', errno: status.errno, ...hinted(status.errno) };
    case 'listening':
      return {
        address,
        state: 'listening',
        ...(status.addresses && { addresses: status.addresses.map(formatAddress) }),
      };
    case 'opening':
    case 'closed':
    case 'waiting':
      return { address, state: status.phase };
  }
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
