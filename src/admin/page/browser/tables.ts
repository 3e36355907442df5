import { ageText } from '../../amounts.ts';
import type { LiveCandidate, LiveChange, LiveService, LiveState } from '../wire.ts';
import {
  bytesCell,
  connectionCell,
  nameCell,
  numberCell,
  ratesCell,
  stateCell,
  textCell,
  whenCell,
  type Note,
  type Tone,
} from './cells.ts';
import type { Row } from './rows.ts';
import type { Throughput } from './throughput.ts';

export interface TableRows {
  readonly rows: readonly Row[];
  /** How many there are, shown or not. */
  readonly total: number;
}

export type TableName = 'services' | 'candidates' | 'changes' | 'failures' | 'connections';

export interface Moment {
  readonly state: LiveState;
  /** The server's clock. */
  readonly nowMs: number;
  readonly throughput: Throughput;
}

/** Every table of the page as it is to be now. */
export function tablesOf(moment: Moment): Readonly<Record<TableName, TableRows>> {
  const { services, connections, failures } = moment.state;
  const open = services.reduce((sum, service) => sum + service.open, 0);
  return {
    services: all(services.map((service, place) => serviceRow(service, place, moment))),
    candidates: {
      rows: services.flatMap((service) => service.candidates.map((one) => candidateRow(service, one, moment))),
      total: services.reduce((sum, { candidateCount }) => sum + candidateCount, 0),
    },
    changes: all(changeRows(moment)),
    failures: all(failures.map((failure) => failureRow(failure, moment))),
    connections: { rows: connections.map((connection) => connectionRow(connection, moment)), total: open },
  };
}

function all(rows: readonly Row[]): TableRows {
  return { rows, total: rows.length };
}

function serviceRow(service: LiveService, place: number, { nowMs, throughput }: Moment): Row {
  const { name, ready, health, healthReason, reasons, listeners, open, held, opened, tls, registrations, split } =
    service;
  const notes: readonly Note[] = [
    ...(healthReason === undefined ? [] : [{ text: healthReason, tone: HEALTH_TONES[health] ?? 'bad' }]),
    ...reasons.map((text): Note => ({ text, tone: 'bad' })),
    ...(split === undefined ? [] : [{ text: split, tone: 'bad' } as const]),
    ...(tls === undefined ? [] : [{ text: tls }]),
    ...registrations.map(({ text, stands }): Note => (stands === 'trouble' ? { text, tone: 'bad' } : { text })),
  ];
  return {
    key: `${place}`,
    cells: [
      nameCell(name),
      stateCell(ready ? health : 'not ready', ready ? (HEALTH_TONES[health] ?? 'bad') : 'bad', notes),
      nameCell(listeners.join(' ')),
      numberCell(held === 0 ? `${open}` : `${open} (${held} held)`),
      numberCell(`${opened}`),
      bytesCell(service.bytesToCandidate),
      bytesCell(service.bytesToClient),
      ratesCell(throughput.of(place, nowMs)),
      discoveryCell(service, nowMs),
    ],
  };
}

/** By how a service stands. */
export const HEALTH_TONES: Readonly<Record<string, Tone>> = { serving: 'good', degraded: 'warn', failing: 'bad' };

function discoveryCell({ discovery, discoveryError, discoveryOkAtMs }: LiveService, nowMs: number) {
  const tone: Tone = discovery === 'synced' ? 'good' : discovery === 'fixed' ? 'quiet' : 'warn';
  return stateCell(discovery, tone, [
    { text: discoveryOkAtMs === undefined ? '' : `${ageText(nowMs - discoveryOkAtMs)} ago` },
    { text: discoveryError ?? '', tone: 'bad' },
  ]);
}

const CANDIDATE_TONES: Readonly<Record<string, Tone>> = { available: 'good', ejected: 'bad', probing: 'warn' };

function candidateRow(service: LiveService, candidate: LiveCandidate, { nowMs }: Moment): Row {
  const { address, state, health, details, open, lastError } = candidate;
  const isBad = health?.state === 'unhealthy';
  return {
    key: JSON.stringify([service.name, address]),
    group: service.name,
    cells: [
      nameCell(address),
      stateCell(state, isBad ? 'bad' : (CANDIDATE_TONES[state] ?? 'quiet'), [
        { text: health?.state ?? '', ...(isBad && { tone: 'bad' }) },
        { text: health?.error ?? '', tone: 'bad' },
        { text: details ?? '' },
      ]),
      numberCell(`${open}`),
      textCell(lastError === undefined ? '' : `${lastError.errno}, ${ageText(nowMs - lastError.atMs)} ago`),
    ],
  };
}

function changeRows({ state: { services }, nowMs }: Moment): readonly Row[] {
  const changes = services.flatMap(({ name, changes: own }) =>
    own.map((change) => ({ service: name, atMs: change.atMs, text: changeText(change), effect: change.effect ?? '' })),
  );
  const ignored = services.flatMap(({ name, ignored: own }) =>
    own.map(({ atMs, key, reason }) => ({ service: name, atMs, text: `ignored ${key}`, effect: reason })),
  );
  const seen = new Map<string, number>();
  return [...changes, ...ignored]
    .sort((one, other) => other.atMs - one.atMs)
    .map(({ service, atMs, text, effect }) => {
      // The same may have happened twice within a millisecond.
      const name = JSON.stringify([service, atMs, text]);
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      const cells = [whenCell(atMs, nowMs), textCell(service), nameCell(text), textCell(effect)];
      return { key: `${name}${nth}`, cells };
    });
}

/** `+10.0.0.1:6379 -10.0.0.2:6379 and 3 more (2 now)`. */
export function changeText({ added, addedCount, removed, removedCount, candidates }: LiveChange): string {
  const names = [...added.map((name) => `+${name}`), ...removed.map((name) => `−${name}`)];
  const more = addedCount + removedCount - names.length;
  return [...names, ...(more > 0 ? [`and ${more} more`] : []), `(${candidates} now)`].join(' ');
}

function failureRow(failure: LiveState['failures'][number], { nowMs }: Moment): Row {
  const { id, service, client, candidate, reason, endedBy, closedAtMs } = failure;
  return {
    key: `${id}`,
    cells: [
      connectionCell(id),
      whenCell(closedAtMs, nowMs),
      textCell(service),
      nameCell(client),
      nameCell(candidate ?? ''),
      textCell(reason.replaceAll('_', ' ')),
      textCell(endedBy),
    ],
  };
}

function connectionRow(connection: LiveState['connections'][number], { nowMs }: Moment): Row {
  const { id, service, client, candidate, phase, openedAtMs, peer } = connection;
  return {
    key: `${id}`,
    cells: [
      connectionCell(id),
      textCell(service),
      nameCell(client),
      nameCell(candidate ?? ''),
      textCell(phase),
      numberCell(ageText(nowMs - openedAtMs)),
      bytesCell(connection.bytesToCandidate),
      bytesCell(connection.bytesToClient),
      textCell(peer ?? ''),
    ],
  };
}
