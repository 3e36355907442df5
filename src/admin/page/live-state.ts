import { routineEnds } from '../../core/close-reason.ts';
import type { OpenConnection } from '../../core/open-connection.ts';
import { visible } from '../../core/visible.ts';
import type { FinishedConnection } from '../recorder.ts';
import type { RegistrationReport, ServiceReport, StatusReport } from '../status-report.ts';
import { detailsText } from '../candidate-details.ts';
import { changesText, keyTrouble, placeText, registrationTexts } from '../configuration-text.ts';
import type {
  LiveCandidate,
  LiveChange,
  LiveConfiguration,
  LiveConnection,
  LiveFailure,
  LiveRegistration,
  LiveService,
  LiveState,
} from './wire.ts';

export interface LiveSources {
  readonly report: StatusReport;
  /** Newest first. */
  readonly connections: readonly OpenConnection[];
  /** Newest first. */
  readonly finished: readonly FinishedConnection[];
  /** `Date.now()` at which all of it was so. */
  readonly nowMs: number;
}

/** How many open connections the page shows. */
export const MAX_CONNECTIONS = 50;
const MAX_FAILURES = 30;
/** Over all services, but every service shows some. */
const MAX_CANDIDATES = 1_000;
const MIN_CANDIDATES = 10;
const MAX_CHANGES = 10;
const MAX_NAMES = 5;
const MAX_REASONS = 10;
const MAX_REGISTRATIONS = 10;
const MAX_TEXT = 160;
const SECOND_MS = 1_000;
/** A registry that is well is confirmed all the time, which is no news each time. */
const LOOK_MS = 5_000;

/** What the status page shows, bounded however much there is. Nothing in it changes when nothing happens. */
export function liveState({ report, connections, finished, nowMs }: LiveSources): LiveState {
  const { version, phase, ready, services, uptimeMs } = report;
  const most = Math.max(MIN_CANDIDATES, Math.floor(MAX_CANDIDATES / Math.max(1, services.length)));
  const bad = finished.filter(({ reason }) => !routineEnds.has(reason));
  return {
    version,
    phase,
    ready,
    health: report.state,
    startedAtMs: roundTo(SECOND_MS, nowMs - uptimeMs),
    reasons: (report.reasons ?? []).slice(0, MAX_REASONS).map(short),
    configuration: report.configuration && configurationOf(report.configuration),
    services: services.map((service) => serviceOf(service, { most, nowMs })),
    connections: connections.slice(0, MAX_CONNECTIONS).map((connection) => connectionOf(connection, nowMs)),
    failures: bad.slice(0, MAX_FAILURES).map(failureOf),
  };
}

function configurationOf(configuration: NonNullable<StatusReport['configuration']>): LiveConfiguration {
  const { followed, sinceMs, rejected } = configuration;
  return {
    place: followed?.isAwaited === true ? undefined : short(placeText(configuration)),
    sinceMs,
    changes: short(changesText(configuration)),
    trouble: optional(keyTrouble(followed)),
    rejected: rejected && {
      source: rejected.source,
      atMs: rejected.atMs,
      faults: rejected.faults.slice(0, MAX_REASONS).map(short),
      faultCount: rejected.faults.length,
    },
  };
}

function serviceOf(
  service: ServiceReport,
  { most, nowMs }: { readonly most: number; readonly nowMs: number },
): LiveService {
  const { discovery, tls, checks } = service;
  const looked = discovery.isFixed === true ? undefined : discovery.lastOkAgeMs;
  return {
    name: short(service.name),
    ready: service.ready,
    health: service.health.state,
    healthReason: optional(service.health.reason),
    reasons: service.reasons.slice(0, MAX_REASONS).map(short),
    listeners: service.listeners.map(({ address, state, errno }) =>
      short(state === 'listening' ? address : `${address} (${[state, errno].filter(Boolean).join(' ')})`),
    ),
    candidates: service.candidates.slice(0, most).map(candidateOf),
    candidateCount: service.candidateCount,
    open: service.connections,
    held: service.held,
    opened: service.opened,
    bytesToCandidate: service.bytesToCandidate,
    bytesToClient: service.bytesToClient,
    discovery: discovery.isFixed === true ? 'fixed' : discovery.status,
    discoveryError: optional(discovery.error),
    discoveryOkAtMs: looked === undefined ? undefined : roundTo(LOOK_MS, nowMs - looked),
    tls: tls === undefined ? undefined : short(`TLS ${tls.mode}, ${tls.status}`),
    registrations: (service.registrations ?? []).slice(0, MAX_REGISTRATIONS).map(registrationOf),
    split:
      checks && checks.split.length > 0 ? short(`split: ${checks.split.join(', ')} say they have the role`) : undefined,
    changes: service.changes.slice(0, MAX_CHANGES).map(changeOf),
    ignored: service.ignored.map(({ at, key, reason }) => ({
      atMs: Date.parse(at),
      key: short(key),
      reason: short(reason),
    })),
  };
}

function registrationOf({ directory, key, phase, error }: RegistrationReport): LiveRegistration {
  const isTrouble = phase === 'conflict' || phase === 'removed' || (phase === 'waiting' && error !== undefined);
  const why = error === undefined ? '' : `: ${error}`;
  return {
    text: short(`${key ?? directory}: ${registrationTexts[phase]}${why}`),
    stands: isTrouble ? 'trouble' : phase,
  };
}

function candidateOf(candidate: ServiceReport['candidates'][number]): LiveCandidate {
  const { address, state, connections, lastError, health } = candidate;
  return {
    address: short(address),
    state,
    health: health && { state: health.state, error: optional(health.error) },
    details: detailsText(candidate) || undefined,
    open: connections,
    lastError: lastError && { errno: short(lastError.errno), atMs: Date.parse(lastError.at) },
  };
}

function changeOf(change: ServiceReport['changes'][number]): LiveChange {
  const { at, added, addedCount, removed, removedCount, candidates, reset } = change;
  return {
    atMs: Date.parse(at),
    added: added.slice(0, MAX_NAMES).map(short),
    addedCount,
    removed: removed.slice(0, MAX_NAMES).map(short),
    removedCount,
    candidates,
    effect: reset && `${reset.connections} ${reset.connections === 1 ? 'connection' : 'connections'}: ${reset.mode}`,
  };
}

function connectionOf(connection: OpenConnection, nowMs: number): LiveConnection {
  const { id, service, client, candidate, phase, tls, ageMs, bytesToCandidate, bytesToClient } = connection;
  return {
    id,
    service: short(service),
    client: short(client),
    candidate: optional(candidate),
    phase,
    peer: optional(tls?.peer),
    openedAtMs: roundTo(SECOND_MS, nowMs - ageMs),
    bytesToCandidate,
    bytesToClient,
  };
}

function failureOf(connection: FinishedConnection): LiveFailure {
  const { id, service, client, candidate, reason, endedBy, closedAtMs } = connection;
  return {
    id,
    service: short(service),
    client: short(client),
    candidate: optional(candidate),
    reason,
    endedBy,
    closedAtMs,
  };
}

function short(text: string): string {
  return visible(text, MAX_TEXT);
}

function optional(text: string | undefined): string | undefined {
  return text === undefined ? undefined : short(text);
}

/** Two clocks that drift by a millisecond are no news. */
function roundTo(stepMs: number, ms: number): number {
  return Math.round(ms / stepMs) * stepMs;
}
