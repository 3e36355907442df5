import { visible } from '../core/visible.ts';
import type { ConnectionsPage } from './status-routes.ts';
import type { CandidateReport, ServiceReport, StatusReport } from './status-report.ts';
import { ageText, bytesText } from './amounts.ts';
import { table } from './table.ts';

const MAX_CANDIDATES = 20;
const MAX_CHANGES = 3;

/** A status report for people at a terminal; without a newline at the end. */
export function statusTable(report: StatusReport, now: number): string {
  const { version, phase, ready, uptimeMs, services } = report;
  const head = `attache ${version}, ${ready ? 'ready' : 'not ready'}, ${phase}, up ${ageText(uptimeMs)}`;
  const rows = services.map((service) => [
    service.name,
    service.ready ? 'ready' : 'not ready',
    service.listeners
      .map(({ address, state }) => (state === 'listening' ? address : `${address} (${state})`))
      .join(' '),
    String(service.connections),
    String(service.opened),
    bytesText(service.bytesToCandidate),
    bytesText(service.bytesToClient),
    discoveryText(service),
  ]);
  const header = ['SERVICE', 'STATE', 'LISTENERS', 'OPEN', 'EVER', 'SENT', 'RECEIVED', 'DISCOVERY'];
  return [head, table(header, rows), ...services.map((service) => details(service, now))].join('\n\n');
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

function details(service: ServiceReport, now: number): string {
  const { name, candidates, candidateCount, reasons, tls, changes } = service;
  const rows = candidates.slice(0, MAX_CANDIDATES).map((candidate) => candidateRow(candidate, now));
  const more = candidateCount - rows.length;
  return [
    `${visible(name)}: ${candidateCount} ${candidateCount === 1 ? 'candidate' : 'candidates'}`,
    ...reasons.map((reason) => `  not ready: ${visible(reason)}`),
    ...(tls === undefined ? [] : [`  TLS ${tls.mode}, ${tls.status}${certificateText(tls)}`]),
    ...(rows.length === 0 ? [] : [indented(table(['CANDIDATE', 'STATE', 'OPEN', 'LAST ERROR'], rows))]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...changes.slice(0, MAX_CHANGES).map((change) => `  ${changeText(change, now)}`),
  ].join('\n');
}

function candidateRow({ address, state, connections, lastError }: CandidateReport, now: number): readonly string[] {
  const error = lastError === undefined ? '-' : `${lastError.errno}, ${ageText(now - Date.parse(lastError.at))} ago`;
  return [address, state, String(connections), error];
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
