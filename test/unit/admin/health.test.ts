import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeHealth } from '../../../src/admin/health.ts';
import type { ListenerStatus, ProcessStatus, ServiceStatus } from '../../../src/core/status.ts';

const asked = { kind: 'tcp', host: '127.0.0.1', port: 6379 } as const;
const listening: ListenerStatus = { asked, status: { phase: 'listening', address: asked } };
const failed: ListenerStatus = { asked, status: { phase: 'failed', errno: 'EADDRINUSE' } };
const opening: ListenerStatus = { asked, status: { phase: 'opening' } };
const waiting: ListenerStatus = { asked, status: { phase: 'waiting' } };
const NOW = 1_000_000;

function service(changes: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name: 'redis',
    listeners: [listening],
    candidates: ['10.0.0.1:6379'],
    known: true,
    discovery: { status: 'synced', lastOkAt: NOW - 5 },
    connections: 2,
    drained: [],
    candidateStates: [],
    held: 0,
    ...changes,
  };
}

function judge(services: readonly ServiceStatus[], phase: ProcessStatus['phase'] = 'serving', minCandidates = 0) {
  return judgeHealth({ phase, services }, { minCandidates, now: NOW });
}

test('a service that listens and whose discovery has answered is ready, with all that is known of it', () => {
  assert.deepEqual(judge([service()]), {
    ready: true,
    services: [
      {
        name: 'redis',
        ready: true,
        reasons: [],
        listeners: [{ address: '127.0.0.1:6379', state: 'listening' }],
        candidates: 1,
        connections: 2,
        discovery: { status: 'synced', lastOkAgeMs: 5 },
      },
    ],
  });
});

const unknown = { known: false, candidates: [] } as const;
const table: readonly {
  readonly what: string;
  readonly changes: Partial<ServiceStatus>;
  readonly phase?: ProcessStatus['phase'];
  readonly min?: number;
  readonly reasons: readonly string[];
}[] = [
  {
    what: 'its port is taken',
    changes: { listeners: [failed] },
    reasons: ['not listening on 127.0.0.1:6379: EADDRINUSE'],
  },
  {
    what: 'it is about to listen',
    changes: { listeners: [opening] },
    reasons: ['not listening on 127.0.0.1:6379 yet'],
  },
  {
    what: 'one of its listeners cannot listen',
    changes: { listeners: [listening, failed] },
    reasons: ['not listening on 127.0.0.1:6379: EADDRINUSE'],
  },
  {
    what: 'discovery has not answered',
    changes: { ...unknown, discovery: { status: 'starting' } },
    reasons: ['discovery has not answered yet'],
  },
  {
    what: 'the discovery backend is down at start',
    changes: { ...unknown, discovery: { status: 'starting', error: 'ECONNREFUSED' } },
    reasons: ['discovery has not answered yet: ECONNREFUSED'],
  },
  {
    what: 'it has fewer candidates than asked for',
    changes: {},
    min: 2,
    reasons: ['too few candidates: 1 of 2'],
  },
  { what: 'it has no candidate and none is asked for', changes: { candidates: [] }, reasons: [] },
  {
    what: 'the last set is stale',
    changes: { discovery: { status: 'stale', lastOkAt: NOW - 60_000, error: 'no leader' } },
    reasons: [],
  },
  { what: 'the process is draining', changes: { listeners: [failed] }, phase: 'draining', reasons: ['draining'] },
  { what: 'the process is closed', changes: {}, phase: 'closed', reasons: ['draining'] },
  { what: 'the process has not started', changes: unknown, phase: 'new', reasons: ['not started'] },
  { what: 'a listener of a cluster has no candidate', changes: { listeners: [listening, waiting] }, reasons: [] },
  {
    what: 'no listener of a cluster has a candidate',
    changes: { listeners: [waiting, waiting], candidates: [] },
    reasons: ['no listener has a candidate'],
  },
  {
    what: 'a cluster waits for the first answer of discovery',
    changes: { ...unknown, listeners: [waiting, waiting], discovery: { status: 'starting' } },
    reasons: ['discovery has not answered yet'],
  },
  {
    what: 'two things are wrong',
    changes: { ...unknown, listeners: [failed], discovery: { status: 'starting' } },
    reasons: ['not listening on 127.0.0.1:6379: EADDRINUSE', 'discovery has not answered yet'],
  },
];

for (const { what, changes, phase, min, reasons } of table) {
  test(`${what}: ${reasons.length === 0 ? 'ready' : `not ready, ${reasons.join('; ')}`}`, () => {
    const health = judge([service({ name: 'other' }), service(changes)], phase, min);
    assert.deepEqual(health.services[1]?.reasons, reasons);
    assert.equal(health.services[1].ready, reasons.length === 0);
    assert.equal(health.ready, reasons.length === 0);
  });
}

test('a stale set shows its age and why, and an age is never below zero', () => {
  const stale = (lastOkAt: number | undefined) =>
    judge([service({ discovery: { status: 'stale', lastOkAt, error: 'no leader' } })]).services[0]?.discovery;
  assert.deepEqual(stale(NOW - 60_000), { status: 'stale', error: 'no leader', lastOkAgeMs: 60_000 });
  assert.deepEqual(stale(NOW + 60_000), { status: 'stale', error: 'no leader', lastOkAgeMs: 0 });
  assert.deepEqual(stale(undefined), { status: 'stale', error: 'no leader' });
});

test('where the system picked the port, the port it picked is shown', () => {
  const picked: ListenerStatus = {
    asked: { ...asked, port: 0 },
    status: { phase: 'listening', address: { ...asked, port: 40_001 } },
  };
  assert.deepEqual(judge([service({ listeners: [picked] })]).services[0]?.listeners, [
    { address: '127.0.0.1:40001', state: 'listening' },
  ]);
});

test('how a service stands in each directory is told, and makes nothing unready', () => {
  const registrations = [
    { directory: '/srv/a', key: '/srv/a/10.0.0.1:1', phase: 'registered', sinceMs: 5 },
    { directory: '/srv/b', phase: 'waiting', error: 'no route to the registry' },
  ] as const;
  const { ready, services } = judge([service({ registrations })]);
  assert.equal(ready, true);
  assert.deepEqual(services[0]?.registrations, [
    { directory: '/srv/a', phase: 'registered' },
    { directory: '/srv/b', phase: 'waiting', error: 'no route to the registry' },
  ]);
  assert.equal(judge([service()]).services[0]?.registrations, undefined);
});
