import assert from 'node:assert/strict';
import { test } from 'node:test';
import { document } from '../../support/documents.ts';
import { Changes } from '../../../src/admin/changes.ts';
import { statusReport } from '../../../src/admin/status-report.ts';
import { statusTable } from '../../../src/admin/status-table.ts';
import type { CandidateStatus, ServiceStatus } from '../../../src/core/status.ts';

function reportOf(...candidateStates: readonly CandidateStatus[]) {
  const service: ServiceStatus = {
    name: 'redis',
    listeners: [],
    candidates: candidateStates.map(({ key }) => key),
    candidateStates,
    known: true,
    discovery: { status: 'synced', lastOkAt: 0 },
    connections: 0,
    drained: candidateStates.flatMap(({ key, weight }) => (weight === 0 ? [key] : [])),
    held: 0,
  };
  return statusReport({
    status: { phase: 'serving', services: [service] },
    traffic: [],
    counters: new Map(),
    changes: new Changes(),
    settings: {},
    version: '1',
    minCandidates: 0,
    startedAtMs: 0,
    now: 0,
    uptimeMs: 0,
  });
}

const usual = { key: 'a:1', state: 'available', fails: 0, open: 0 } as const;
const linesOf = (report: ReturnType<typeof reportOf>) =>
  statusTable(report, 0)
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));

test('candidates whose details are as usual say nothing of them, in the report and in the table', () => {
  const report = reportOf(usual);
  assert.deepEqual(report.services[0]?.candidates, [{ address: 'a:1', state: 'available', fails: 0, connections: 0 }]);
  assert.deepEqual(linesOf(report).at(-2), ['CANDIDATE', 'STATE', 'OPEN', 'LAST ERROR']);
});

test('weight, priority and zone are in the report, and in a column of the table', () => {
  const report = reportOf(usual, { ...usual, key: 'b:1', weight: 0, priority: 10, zone: 'eu-1a' });
  assert.deepEqual(report.services[0]?.candidates[1], {
    ...{ address: 'b:1', state: 'drained', fails: 0, connections: 0 },
    ...{ weight: 0, priority: 10, zone: 'eu-1a' },
  });
  assert.deepEqual(linesOf(report).slice(-3), [
    ['CANDIDATE', 'STATE', 'DETAILS', 'OPEN', 'LAST ERROR'],
    ['a:1', 'available', '-', '0', '-'],
    ['b:1', 'drained', 'weight 0, priority 10, zone eu-1a', '0', '-'],
  ]);
});

test('the example of the operations page has the head and the columns that the command prints', () => {
  const { text } = document('docs/operations.md');
  const [, head = '', columns = ''] = /^\$ attache status\n(.*)\n\n(.*)\n/m.exec(text) ?? [];
  const status = { phase: 'serving', services: [], engine: { name: 'native' } } as const;
  const report = {
    ...reportOf(),
    ...status,
    state: 'degraded',
    ready: true,
    version: '0.1.0',
    uptimeMs: 182_000,
  } as const;
  const [printed = ''] = statusTable(report, 0).split('\n');
  assert.equal(head, printed);
  assert.deepEqual(columns.split(/ {2,}/), linesOf(reportOf(usual))[2]);
});
