import { hinted } from '../core/errno-hint.ts';
import type { MemoryStatus } from '../core/observer.ts';
import type { ServiceTraffic } from '../core/open-connection.ts';
import { statesOf, type CandidateState } from './candidate-state.ts';
import type { Changes, EmptyDirectory, IgnoredKey, MembershipChange } from './changes.ts';
import { judgeHealth, type DiscoveryHealth, type ListenerHealth, type TlsHealth } from './health.ts';
import type { HealthState } from '../core/health-check.ts';
import type {
  CandidateHealth,
  ChecksStatus,
  ConfigurationStatus,
  EngineStatus,
  ProcessStatus,
  RegistrationStatus,
  ServiceStatus,
  SourceCounters,
} from '../core/status.ts';
import { serviceState, worstState, type ServiceState } from './service-health.ts';
import type { ServiceCounters } from './counters.ts';

/** The answer of `/status`: everything that attache knows of itself, without a secret. */
export interface StatusReport {
  readonly version: string;
  readonly phase: ProcessStatus['phase'];
  readonly ready: boolean;
  /** Why the process as a whole is not ready; missing when nothing is wrong with it. */
  readonly reasons?: readonly string[];
  /** The worst of the services. */
  readonly state: ServiceState['state'];
  /** ISO 8601, as all times here. */
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly memory?: MemoryStatus;
  readonly engine?: EngineStatus;
  /** Missing until services were changed, or were to be changed, at run time. */
  readonly configuration?: ConfigurationStatus;
  readonly services: readonly ServiceReport[];
}

export interface ServiceReport {
  readonly name: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** Whether its clients are served now. */
  readonly health: ServiceState;
  /** Its effective settings. */
  readonly settings: ShownSettings;
  /** The former name of `settings`. */
  readonly words: ShownSettings;
  readonly listeners: readonly ListenerHealth[];
  /** The first thousand; `candidateCount` is how many there are. */
  readonly candidates: readonly CandidateReport[];
  readonly candidateCount: number;
  readonly connections: number;
  /** Of these, clients that are held because no candidate answers. */
  readonly held: number;
  readonly opened: number;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  readonly discovery: DiscoveryReport;
  readonly tls?: TlsReport;
  /** Missing without health checks. */
  readonly checks?: ChecksStatus;
  /** One for each directory of REGISTER; missing without. */
  readonly registrations?: readonly RegistrationReport[];
  /** Newest first. */
  readonly changes: readonly (Omit<MembershipChange, 'atMs'> & { readonly at: string })[];
  /** What the registry holds that is no candidate, and what it says of one that cannot be used, newest first. */
  readonly ignored: readonly (Omit<IgnoredKey, 'atMs'> & { readonly at: string })[];
  /** While there is no candidate: the directory that was listed, and the nearest that has members. */
  readonly empty?: Omit<EmptyDirectory, 'atMs'> & { readonly at: string };
}

export type ShownSettings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface CandidateReport {
  readonly address: string;
  readonly state: CandidateState;
  /** Connect failures in a row. */
  readonly fails: number;
  readonly connections: number;
  /** Missing: 1. */
  readonly weight?: number;
  /** Missing: 0. */
  readonly priority?: number;
  readonly zone?: string;
  /** What checks have found; missing without them. */
  readonly health?: CandidateHealthReport;
  /** The last attempt at it that failed, however many have succeeded since. */
  readonly lastError?: { readonly errno: string; readonly hint?: string; readonly at: string };
}

/** How the service stands in one directory of the registry. */
export type RegistrationReport = Omit<RegistrationStatus, 'sinceMs'> & {
  /** Since when it is so, ISO 8601; missing before the first change. */
  readonly since?: string;
};

export interface CandidateHealthReport {
  readonly state: HealthState;
  /** Since when it is so, ISO 8601. */
  readonly since: string;
  /** Why the last check failed; missing when it did not. */
  readonly error?: string;
  /** What the last check took. */
  readonly lastMs?: number;
}

/** `isFixed`: listed by the operator, never looked for. */
export type DiscoveryReport = DiscoveryHealth & { readonly isFixed?: true; readonly counters?: SourceCounters };

export type TlsReport = TlsHealth & {
  readonly mode: 'client' | 'server';
  readonly certificate?: { readonly subject: string; readonly serial: string };
};

export interface ReportSources {
  readonly status: ProcessStatus;
  readonly traffic: readonly ServiceTraffic[];
  readonly counters: ReadonlyMap<string, ServiceCounters>;
  readonly changes: Changes;
  /** By service. */
  readonly settings: Readonly<Record<string, ShownSettings>>;
  readonly version: string;
  readonly minCandidates: number;
  /** `Date.now()` at which the process started. */
  readonly startedAtMs: number;
  /** `Date.now()`. */
  readonly now: number;
  readonly uptimeMs: number;
}

const MAX_CANDIDATES = 1_000;

export function statusReport(sources: ReportSources): StatusReport {
  const { status, version, startedAtMs, uptimeMs, minCandidates, now } = sources;
  const health = judgeHealth(status, { minCandidates, now });
  const services = status.services.map((service, place): ServiceReport => {
    const { ready = false, reasons = [], listeners = [], discovery, tls } = health.services[place] ?? {};
    const { changes, ignored, empty } = sources.changes.of(service.name);
    return {
      name: service.name,
      ready,
      reasons,
      health: serviceState(service),
      settings: sources.settings[service.name] ?? {},
      words: sources.settings[service.name] ?? {},
      listeners,
      ...numbersOf(service, sources),
      discovery: { ...(discovery ?? { status: 'starting' }), ...discoveryExtras(service) },
      ...(tls && service.tls && { tls: { mode: service.tls.mode, ...tls, ...certificateOf(service.tls) } }),
      ...(service.checks && { checks: service.checks }),
      ...(service.registrations && { registrations: service.registrations.map(registrationReport) }),
      changes: changes.map(dated),
      ignored: ignored.map(dated),
      ...(empty && { empty: dated(empty) }),
    };
  });
  const { reasons } = health;
  const state = reasons === undefined ? worstState(services.map((service) => service.health.state)) : 'failing';
  const startedAt = new Date(startedAtMs).toISOString();
  const { phase, memory, engine, configuration } = status;
  const known = {
    ...(reasons && { reasons }),
    ...(memory && { memory }),
    ...(engine && { engine }),
    ...(configuration && { configuration }),
  };
  return { version, phase, ready: health.ready, state, startedAt, uptimeMs: Math.round(uptimeMs), ...known, services };
}

type Numbers = Pick<
  ServiceReport,
  'candidates' | 'candidateCount' | 'connections' | 'held' | 'opened' | 'bytesToCandidate' | 'bytesToClient'
>;

function numbersOf(service: ServiceStatus, { traffic, counters }: ReportSources): Numbers {
  const moving = traffic.find((one) => one.service === service.name);
  const counted = counters.get(service.name);
  const states = statesOf(service);
  const stands = new Map(service.candidateStates.map((candidate) => [candidate.key, candidate]));
  const candidates = service.candidates.slice(0, MAX_CANDIDATES).map((address): CandidateReport => {
    const lastError = counted?.members.get(address)?.lastError;
    const { fails = 0, weight, priority, zone, health } = stands.get(address) ?? {};
    return {
      address,
      state: states.get(address) ?? 'unassigned',
      fails,
      connections: moving?.open.get(address) ?? 0,
      ...(weight !== undefined && { weight }),
      ...(priority !== undefined && { priority }),
      ...(zone !== undefined && { zone }),
      ...(health && { health: healthReport(health) }),
      ...(lastError && {
        lastError: { errno: lastError.errno, ...hinted(lastError.errno), at: new Date(lastError.atMs).toISOString() },
      }),
    };
  });
  return {
    candidates,
    candidateCount: service.candidates.length,
    connections: service.connections,
    held: service.held,
    opened: counted?.opened ?? 0,
    bytesToCandidate: (counted?.bytesToCandidate ?? 0) + (moving?.bytesToCandidate ?? 0),
    bytesToClient: (counted?.bytesToClient ?? 0) + (moving?.bytesToClient ?? 0),
  };
}

function healthReport({ state, sinceMs, error, lastMs }: CandidateHealth): CandidateHealthReport {
  return {
    state,
    since: new Date(sinceMs).toISOString(),
    ...(error !== undefined && { error }),
    ...(lastMs !== undefined && { lastMs: Math.round(lastMs * 10) / 10 }),
  };
}

function registrationReport({ sinceMs, ...rest }: RegistrationStatus): RegistrationReport {
  return { ...rest, ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }) };
}

function discoveryExtras({ discovery }: ServiceStatus): Pick<DiscoveryReport, 'isFixed' | 'counters'> {
  if (discovery.status === 'starting') return {};
  const isFixed = discovery.status === 'synced' && discovery.isFixed === true;
  return { ...(isFixed && { isFixed }), ...(discovery.counters && { counters: discovery.counters }) };
}

function certificateOf({ certificate }: NonNullable<ServiceStatus['tls']>): Pick<TlsReport, 'certificate'> {
  return certificate === undefined ? {} : { certificate };
}

function dated<T extends { readonly atMs: number }>({ atMs, ...rest }: T): Omit<T, 'atMs'> & { readonly at: string } {
  return { at: new Date(atMs).toISOString(), ...rest };
}
