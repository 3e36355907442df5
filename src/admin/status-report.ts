import type { ServiceTraffic } from '../core/open-connection.ts';
import type { SourceCounters } from '../discovery/source.ts';
import { statesOf, type CandidateState } from './candidate-state.ts';
import type { Changes, IgnoredKey, MembershipChange } from './changes.ts';
import { judgeHealth, type DiscoveryHealth, type ListenerHealth, type TlsHealth } from './health.ts';
import type { ProcessStatus, ServiceStatus } from './status.ts';
import type { ServiceTally } from './tally.ts';

/** The answer of `/status`: everything that attache knows of itself, without a secret. */
export interface StatusReport {
  readonly version: string;
  readonly phase: ProcessStatus['phase'];
  readonly ready: boolean;
  /** ISO 8601, as all times here. */
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly services: readonly ServiceReport[];
}

export interface ServiceReport {
  readonly name: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** What its configuration comes to. */
  readonly words: Words;
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
  /** Newest first. */
  readonly changes: readonly (Omit<MembershipChange, 'atMs'> & { readonly at: string })[];
  /** What the registry holds that is no candidate, newest first. */
  readonly ignored: readonly (Omit<IgnoredKey, 'atMs'> & { readonly at: string })[];
}

export type Words = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface CandidateReport {
  readonly address: string;
  readonly state: CandidateState;
  /** Connect failures in a row. */
  readonly fails: number;
  readonly connections: number;
  /** The last attempt at it that failed, however many have succeeded since. */
  readonly lastError?: { readonly errno: string; readonly at: string };
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
  readonly tally: ReadonlyMap<string, ServiceTally>;
  readonly changes: Changes;
  /** By service. */
  readonly words: Readonly<Record<string, Words>>;
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
    const { changes, ignored } = sources.changes.of(service.name);
    return {
      name: service.name,
      ready,
      reasons,
      words: sources.words[service.name] ?? {},
      listeners,
      ...numbersOf(service, sources),
      discovery: { ...(discovery ?? { status: 'starting' }), ...discoveryExtras(service) },
      ...(tls && service.tls && { tls: { mode: service.tls.mode, ...tls, ...certificateOf(service.tls) } }),
      changes: changes.map(dated),
      ignored: ignored.map(dated),
    };
  });
  const startedAt = new Date(startedAtMs).toISOString();
  return { version, phase: status.phase, ready: health.ready, startedAt, uptimeMs: Math.round(uptimeMs), services };
}

type Numbers = Pick<
  ServiceReport,
  'candidates' | 'candidateCount' | 'connections' | 'held' | 'opened' | 'bytesToCandidate' | 'bytesToClient'
>;

function numbersOf(service: ServiceStatus, { traffic, tally }: ReportSources): Numbers {
  const moving = traffic.find((one) => one.service === service.name);
  const counted = tally.get(service.name);
  const states = statesOf(service);
  const fails = new Map(service.candidateStates.map((candidate) => [candidate.key, candidate.fails]));
  const candidates = service.candidates.slice(0, MAX_CANDIDATES).map((address): CandidateReport => {
    const lastError = counted?.members.get(address)?.lastError;
    return {
      address,
      state: states.get(address) ?? 'unassigned',
      fails: fails.get(address) ?? 0,
      connections: moving?.open.get(address) ?? 0,
      ...(lastError && { lastError: { errno: lastError.errno, at: new Date(lastError.atMs).toISOString() } }),
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
