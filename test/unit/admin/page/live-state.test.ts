import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveState, MAX_CONNECTIONS, type LiveSources } from '../../../../src/admin/page/live-state.ts';
import type { FinishedConnection } from '../../../../src/admin/recorder.ts';
import type { ServiceReport, StatusReport } from '../../../../src/admin/status-report.ts';
import { closeReasons, type CloseReason } from '../../../../src/core/close-reason.ts';
import type { OpenConnection } from '../../../../src/core/open-connection.ts';

const NOW = Date.parse('2030-01-01T12:00:00Z');

function service(more: Partial<ServiceReport> = {}): ServiceReport {
  return {
    name: 'redis',
    ready: true,
    reasons: [],
    health: { state: 'serving' },
    settings: {},
    words: {},
    listeners: [{ address: ':6379', state: 'listening' }],
    candidates: [],
    candidateCount: 0,
    connections: 0,
    held: 0,
    opened: 0,
    bytesToCandidate: 0,
    bytesToClient: 0,
    discovery: { status: 'synced', lastOkAgeMs: 5_000 },
    changes: [],
    ignored: [],
    ...more,
  };
}

function sources(services: readonly ServiceReport[], more: Partial<LiveSources> = {}): LiveSources {
  const report: StatusReport = {
    version: '1',
    phase: 'serving',
    ready: true,
    state: 'serving',
    startedAt: new Date(NOW - 60_000).toISOString(),
    uptimeMs: 60_000,
    services,
  };
  return { report, connections: [], finished: [], nowMs: NOW, ...more };
}

function open(id: number): OpenConnection {
  const base = { service: 'redis', client: '10.0.0.7:1', candidate: 'a:1', attempts: [] };
  return { ...base, id, phase: 'relaying', bytesToCandidate: 1, bytesToClient: 2, ageMs: 1_500 };
}

function finished(id: number, reason: CloseReason): FinishedConnection {
  const base = { service: 'redis', client: '10.0.0.7:1', candidate: undefined, bytesToCandidate: 0, bytesToClient: 0 };
  return { ...base, id, reason, endedBy: 'client', dialMs: 0, totalMs: 1, closedAtMs: NOW, attempts: [], tried: 0 };
}

const HOSTILE = `<img src=x onerror=alert(1)>\n\u202e${'x'.repeat(5_000)}`;

test('a candidate has the details that are not as usual', () => {
  const usual = { address: 'a:1', state: 'available', fails: 0, connections: 0 } as const;
  const candidates = [usual, { ...usual, address: 'b:1', weight: 3, zone: 'eu-1a' }];
  const { services } = liveState(sources([service({ candidates, candidateCount: 2 })]));
  assert.deepEqual(
    services[0]?.candidates.map(({ details }) => details),
    [undefined, 'weight 3, zone eu-1a'],
  );
});

test('the list of services in force, one that was refused, and how services are registered are told', () => {
  const configuration = {
    source: 'SERVICES_KEY',
    revision: '12',
    followed: { key: '/attache/web', phase: 'missing' },
    sinceMs: NOW - 5_000,
    added: ['a'],
    changed: ['b'],
    removed: [],
    rejections: 1,
    rejected: { source: 'SERVICES_KEY', atMs: NOW, faults: Array.from({ length: 12 }, (_, n) => `fault ${n}`) },
  } as const;
  const registrations = [
    { directory: '/srv/a', key: '/srv/a/10.0.0.1:1', phase: 'registered' },
    { directory: '/srv/b', phase: 'conflict' },
    { directory: '/srv/c', phase: 'waiting', error: 'no route' },
  ] as const;
  const all = sources([service({ registrations })]);
  const state = liveState({ ...all, report: { ...all.report, reasons: ['no list yet'], configuration } });
  assert.deepEqual(state.reasons, ['no list yet']);
  assert.deepEqual(state.configuration, {
    place: 'SERVICES_KEY /attache/web, revision 12',
    sinceMs: NOW - 5_000,
    changes: '+a ~b',
    trouble: 'SERVICES_KEY /attache/web: the registry has no such key: the services of before stay',
    rejected: {
      source: 'SERVICES_KEY',
      atMs: NOW,
      faults: Array.from({ length: 10 }, (_, n) => `fault ${n}`),
      faultCount: 12,
    },
  });
  assert.deepEqual(state.services[0]?.registrations, [
    { text: '/srv/a/10.0.0.1:1: registered', stands: 'registered' },
    { text: '/srv/b: NOT REGISTERED: another process holds the key', stands: 'trouble' },
    { text: '/srv/c: not registered yet: no route', stands: 'trouble' },
  ]);
  assert.equal(liveState(all).configuration, undefined);
});

test('it stays small however much there is', () => {
  const services = Array.from({ length: 200 }, (_, place) =>
    service({
      name: `s${place}`,
      candidates: Array.from({ length: 1_000 }, (_, n) => ({
        address: `${n}:1`,
        state: 'available' as const,
        fails: 0,
        connections: 0,
      })),
      candidateCount: 1_000,
      reasons: Array.from({ length: 50 }, () => HOSTILE),
      changes: Array.from({ length: 20 }, () => ({
        at: new Date(NOW).toISOString(),
        candidates: 1,
        added: Array.from({ length: 20 }, (_, n) => `${n}:1`),
        addedCount: 900,
        removed: [],
        removedCount: 0,
      })),
    }),
  );
  const connections = Array.from({ length: 500 }, (_, n) => open(n));
  const many = Array.from({ length: 1_000 }, (_, n) => finished(n, 'client_reset'));
  const state = liveState(sources(services, { connections, finished: many }));
  assert.equal(state.connections.length, MAX_CONNECTIONS);
  assert.equal(state.failures.length, 30);
  assert.equal(state.services.length, 200);
  const [first] = state.services;
  assert.deepEqual(
    [first?.candidates.length, first?.candidateCount, first?.reasons.length, first?.changes.length],
    [10, 1_000, 10, 10],
  );
  assert.deepEqual([first?.changes[0]?.added.length, first?.changes[0]?.addedCount], [5, 900]);
  // A single service shows what the report has.
  const [only] = liveState(sources(services.slice(0, 1))).services;
  assert.equal(only?.candidates.length, 1_000);
});

test('text of others is cut, on one line and shows all that is in it, and is otherwise as it was', () => {
  const state = liveState(
    sources(
      [
        service({
          name: HOSTILE,
          reasons: [HOSTILE],
          listeners: [{ address: HOSTILE, state: 'failed', errno: 'EADDRINUSE' }],
          candidates: [
            {
              address: HOSTILE,
              state: 'ejected',
              fails: 1,
              connections: 0,
              lastError: { errno: HOSTILE, at: new Date(NOW).toISOString() },
            },
          ],
          discovery: { status: 'stale', error: HOSTILE },
          changes: [
            {
              at: new Date(NOW).toISOString(),
              candidates: 1,
              added: [HOSTILE],
              addedCount: 1,
              removed: [HOSTILE],
              removedCount: 1,
            },
          ],
          ignored: [{ at: new Date(NOW).toISOString(), key: HOSTILE, reason: HOSTILE }],
        }),
      ],
      {
        connections: [
          {
            ...open(1),
            service: HOSTILE,
            client: HOSTILE,
            candidate: HOSTILE,
            tls: { peer: HOSTILE, version: 'TLSv1.3', resumed: false },
          },
        ],
        finished: [{ ...finished(2, 'client_reset'), service: HOSTILE, client: HOSTILE, candidate: HOSTILE }],
      },
    ),
  );
  const texts = textsOf(state).filter((text) => text.includes('img'));
  assert.ok(texts.length >= 16, `${texts.length}`);
  for (const text of texts) {
    assert.ok(text.startsWith('<img src=x onerror=alert(1)>\\u000a\\u202ex'), text);
    assert.ok(text.length < 200, `${text.length}`);
  }
});

test('failures are the ends that nobody meant', () => {
  const all = closeReasons.map((reason, id) => finished(id, reason));
  const shown = liveState(sources([], { finished: all })).failures.map(({ reason }) => reason);
  const routine = closeReasons.filter((reason) => !shown.includes(reason));
  assert.deepEqual([...routine].sort(), ['finished', 'idle_timeout', 'max_lifetime']);
});

test('nothing in it changes with the clock alone', () => {
  const at = (laterMs: number) => {
    const made = sources([service({ discovery: { status: 'stale', lastOkAgeMs: 5_000 + laterMs } })], {
      connections: [{ ...open(1), ageMs: 1_500 + laterMs }],
      finished: [finished(2, 'client_reset')],
      nowMs: NOW + 250 + laterMs,
    });
    return liveState({ ...made, report: { ...made.report, uptimeMs: made.report.uptimeMs + laterMs } });
  };
  assert.deepEqual(at(2), at(0));
  assert.deepEqual(at(60_000), at(0));
});

test('a fixed service has no look that could be old; a listener in trouble and an effect say what they are', () => {
  const [fixed] = liveState(
    sources([
      service({
        discovery: { status: 'synced', isFixed: true, lastOkAgeMs: 5 },
        listeners: [{ address: ':1', state: 'failed', errno: 'EADDRINUSE' }],
        tls: { mode: 'server', status: 'stale' },
        changes: [
          {
            at: new Date(NOW).toISOString(),
            candidates: 0,
            added: [],
            addedCount: 0,
            removed: ['a:1'],
            removedCount: 1,
            reset: { connections: 1, mode: 'reset' },
          },
        ],
      }),
    ]),
  ).services;
  assert.deepEqual([fixed?.discovery, fixed?.discoveryOkAtMs], ['fixed', undefined]);
  assert.deepEqual(fixed?.listeners, [':1 (failed EADDRINUSE)']);
  assert.equal(fixed.tls, 'TLS server, stale');
  assert.equal(fixed.changes[0]?.effect, '1 connection: reset');
});

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
