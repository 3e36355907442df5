import { visible } from '../core/visible.ts';
import type { ConnectionsPage, FinishedPage } from './status-routes.ts';
import type { CandidateReport, ServiceReport, StatusReport } from './status-report.ts';
import { ageText, bytesText } from './amounts.ts';
import { detailsText } from './candidate-details.ts';
import { changesText, keyTrouble, placeText, registrationTexts } from './configuration-text.ts';
import { stateText } from './service-health.ts';
import { table } from './table.ts';

const MAX_CANDIDATES = 20;
const MAX_CHANGES = 3;
const MAX_FAULTS = 10;
const MAX_REASON = 400;

/** A status report for people at a terminal; without a newline at the end. */
export function statusTable(report: StatusReport, now: number): string {
  const { version, phase, ready, state, uptimeMs, services, engine } = report;
  const carried = engine === undefined ? '' : `, ${engine.name} engine`;
  const head = `attache ${version}${carried}, ${ready ? 'ready' : 'not ready'}, ${state === phase ? '' : `${state}, `}${phase}, up ${ageText(uptimeMs)}`;
  const rows = services.map((service) => [
    service.name,
    service.ready ? stateText(service.health) : 'not ready',
    service.listeners
      .flatMap(({ address, addresses = [address], state }) =>
        state === 'listening' ? addresses : [`${address} (${state})`],
      )
      .join(' '),
    String(service.connections),
    String(service.opened),
    bytesText(service.bytesToCandidate),
    bytesText(service.bytesToClient),
    discoveryText(service),
  ]);
  const header = ['SERVICE', 'STATE', 'LISTENERS', 'OPEN', 'EVER', 'SENT', 'RECEIVED', 'DISCOVERY'];
  const reasons = (report.reasons ?? []).map((reason) => `not ready: ${visible(reason, MAX_REASON)}`);
  const top = [head, ...reasons, ...configurationLines(report, now)].join('\n');
  return [top, table(header, rows), ...services.map((service) => details(service, now))].join('\n\n');
}

/** Where the services come from, once that is not the start alone, and what the last change did. */
function configurationLines({ configuration }: StatusReport, now: number): readonly string[] {
  if (configuration === undefined) return [];
  const { sinceMs, rejected, followed } = configuration;
  const age = sinceMs === undefined ? '' : `, ${ageText(now - sinceMs)} ago`;
  const changes = changesText(configuration);
  const inForce = `services from ${placeText(configuration)}${age}${changes === '' ? '' : `: ${changes}`}`;
  const trouble = keyTrouble(followed);
  const lines = [...(followed?.isAwaited === true ? [] : [inForce]), ...(trouble === undefined ? [] : [trouble])];
  if (rejected === undefined) return lines;
  const refused = `REJECTED, ${ageText(now - rejected.atMs)} ago: services from ${rejected.source}`;
  return [...lines, refused, ...rejected.faults.slice(0, MAX_FAULTS).map((fault) => `  ${visible(fault)}`)];
}

/** Open connections for people; without a newline at the end. */
export function connectionsTable({ open, connections, next }: ConnectionsPage): string {
  const rows = connections.map((connection) => [
    String(connection.id),
    connection.service,
    connection.client,
    connection.candidate ?? '-',
    connection.phase,
    ageText(connection.ageMs),
    bytesText(connection.bytesToCandidate),
    bytesText(connection.bytesToClient),
    connection.tls?.peer ?? '-',
  ]);
  const header = ['ID', 'SERVICE', 'CLIENT', 'CANDIDATE', 'PHASE', 'AGE', 'SENT', 'RECEIVED', 'TLS PEER'];
  const shown = next === undefined ? `${open} open` : `the newest ${connections.length} of ${open} open`;
  return connections.length === 0 ? `${open} open` : `${shown}\n\n${table(header, rows)}`;
}

/** Connections that ended, for people; without a newline at the end. */
export function finishedTable({ connections }: FinishedPage, now: number): string {
  const rows = connections.map((connection) => [
    String(connection.id),
    `${ageText(now - connection.closedAtMs)} ago`,
    connection.service,
    connection.client,
    connection.candidate ?? '-',
    connection.reason,
    connection.endedBy,
    String(connection.tried),
    bytesText(connection.bytesToCandidate),
    bytesText(connection.bytesToClient),
  ]);
  const header = ['ID', 'ENDED', 'SERVICE', 'CLIENT', 'CANDIDATE', 'WHY', 'BY', 'TRIED', 'SENT', 'RECEIVED'];
  return connections.length === 0 ? 'none of the last that ended' : table(header, rows);
}

function details(service: ServiceReport, now: number): string {
  const { name, candidates, candidateCount, reasons, tls, changes } = service;
  const shown = candidates.slice(0, MAX_CANDIDATES);
  const isDetailed = shown.some((candidate) => detailsText(candidate) !== '');
  const isChecked = shown.some(({ health }) => health !== undefined);
  const columns = [
    'CANDIDATE',
    'STATE',
    ...(isChecked ? ['HEALTH'] : []),
    ...(isDetailed ? ['DETAILS'] : []),
    'OPEN',
    'LAST ERROR',
  ];
  const rows = shown.map((candidate) => candidateRow(candidate, { now, isChecked, isDetailed }));
  const more = candidateCount - rows.length;
  return [
    `${visible(name)}: ${candidateCount} ${candidateCount === 1 ? 'candidate' : 'candidates'}`,
    ...reasons.map((reason) => `  not ready: ${visible(reason)}`),
    ...(tls === undefined ? [] : [`  TLS ${tls.mode}, ${tls.status}${certificateText(tls)}`]),
    ...healthLines(service),
    ...registrationLines(service, now),
    ...[...new Set(candidates.flatMap(({ lastError }) => lastError?.hint ?? []))].map((hint) => `  ${visible(hint)}`),
    ...(rows.length === 0 ? [] : [indented(table(columns, rows))]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...changes.slice(0, MAX_CHANGES).map((change) => `  ${changeText(change, now)}`),
  ].join('\n');
}

/** What is checked, a split, and why those are unhealthy that are. */
function healthLines({ checks, candidates }: ServiceReport): readonly string[] {
  if (checks === undefined) return [];
  const faults = candidates.slice(0, MAX_CANDIDATES).flatMap(({ address, health: one }) => {
    return one?.error === undefined ? [] : [`  ${address}: ${visible(one.error)}`];
  });
  const { check, split } = checks;
  const told = split.length === 0 ? [] : [`  SPLIT: ${split.join(', ')} all say that they have the role`];
  return [`  health check ${visible(check)}`, ...told, ...faults];
}

/** Where it is registered, and if not, why. */
function registrationLines({ registrations = [] }: ServiceReport, now: number): readonly string[] {
  return registrations.map(({ directory, key, phase, error, since }) => {
    const age = since === undefined ? '' : `, ${ageText(now - Date.parse(since))}`;
    return `  ${visible(key ?? directory)}: ${registrationTexts[phase]}${age}${error === undefined ? '' : `: ${visible(error)}`}`;
  });
}

interface RowOptions {
  readonly now: number;
  readonly isChecked: boolean;
  readonly isDetailed: boolean;
}

function candidateRow(candidate: CandidateReport, { now, isChecked, isDetailed }: RowOptions): readonly string[] {
  const { address, state, connections, lastError, health } = candidate;
  const error = lastError === undefined ? '-' : `${lastError.errno}, ${ageText(now - Date.parse(lastError.at))} ago`;
  const details = isDetailed ? [detailsText(candidate) || '-'] : [];
  const checked = health && `${health.state}, ${ageText(now - Date.parse(health.since))}`;
  return [address, state, ...(isChecked ? [checked ?? '-'] : []), ...details, String(connections), error];
}

function certificateText({ certificate, notAfter, error }: NonNullable<ServiceReport['tls']>): string {
  const subject = certificate === undefined ? '' : `, ${visible(certificate.subject)}`;
  const expiry = notAfter === undefined ? '' : `, until ${notAfter}`;
  return `${subject}${expiry}${error === undefined ? '' : `: ${visible(error)}`}`;
}

function changeText(change: ServiceReport['changes'][number], now: number): string {
  const list = (sign: string, names: readonly string[], count: number) => [
    ...names.slice(0, 5).map((name) => `${sign}${visible(name)}`),
    ...(count > 5 ? [`${sign}(${count - Math.min(5, names.length)} more)`] : []),
  ];
  const names = [...list('+', change.added, change.addedCount), ...list('-', change.removed, change.removedCount)];
  const reset = change.reset === undefined ? '' : `, ${change.reset.connections} connections: ${change.reset.mode}`;
  return `${ageText(now - Date.parse(change.at))} ago: ${names.join(' ')}${reset}`;
}

function discoveryText({ discovery }: ServiceReport): string {
  if (discovery.isFixed === true) return 'listed';
  const age = discovery.lastOkAgeMs === undefined ? '' : `, ${ageText(discovery.lastOkAgeMs)} ago`;
  return `${discovery.status}${age}${discovery.error === undefined ? '' : `: ${discovery.error}`}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
