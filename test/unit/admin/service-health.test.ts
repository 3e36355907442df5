import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceState, stateText, worstState } from '../../../src/admin/service-health.ts';
import type { CandidateStatus, ListenerStatus, ServiceStatus } from '../../../src/core/status.ts';

const asked = { kind: 'tcp', host: '127.0.0.1', port: 6379 } as const;
const listening: ListenerStatus = { asked, status: { phase: 'listening', address: asked } };
const failed: ListenerStatus = { asked, status: { phase: 'failed', errno: 'EADDRINUSE' } };

type How = CandidateStatus['state'] | 'failed once';

function service(states: readonly How[], more: Partial<ServiceStatus> = {}): ServiceStatus {
  const candidateStates = states.map((state, place): CandidateStatus => {
    const key = `10.0.0.${place}:6379`;
    return state === 'failed once'
      ? { key, state: 'available', fails: 1, lastErrno: 'ECONNREFUSED', open: 0 }
      : { key, state, fails: state === 'available' ? 0 : 3, open: 0 };
  });
  return {
    name: 'redis',
    listeners: [listening],
    candidates: candidateStates.map(({ key }) => key),
    candidateStates,
    known: true,
    discovery: { status: 'synced', lastOkAt: 0 },
    connections: 0,
    drained: [],
    held: 0,
    ...more,
  };
}

const table: readonly (readonly [what: string, service: ServiceStatus, text: string])[] = [
  ['all answer', service(['available', 'available']), 'serving'],
  ['one of three answers', service(['available', 'ejected', 'probing']), 'degraded: 1 of 3 available'],
  ['one failed once and is not ejected', service(['available', 'failed once']), 'degraded: 1 of 2 available'],
  ['none answers', service(['ejected', 'probing']), 'failing: no candidate answers'],
  ['the only one has failed, before it is ejected', service(['failed once']), 'failing: no candidate answers'],
  ['there is none', service([]), 'failing: no candidates'],
  ['discovery is silent', service([], { known: false }), 'failing: discovery has not answered'],
  ['nothing listens', service(['available'], { listeners: [failed] }), 'failing: not listening'],
  ['one of two listens', service(['available'], { listeners: [listening, failed] }), 'serving'],
  ['the one that fails is drained', service(['available', 'ejected'], { drained: ['10.0.0.1:6379'] }), 'serving'],
  ['all are drained', service(['available'], { drained: ['10.0.0.0:6379'] }), 'failing: every candidate is drained'],
  [
    'a candidate of a cluster has no listener',
    service(['available'], { candidates: ['10.0.0.0:6379', '10.0.0.9:6379'] }),
    'serving',
  ],
  [
    'there is no TLS material',
    service(['available'], { tls: { mode: 'client', status: 'loading' } }),
    'failing: no TLS material yet',
  ],
];

for (const [what, status, text] of table) {
  test(`a service of which ${what} is ${text}`, () => {
    assert.equal(stateText(serviceState(status)), text);
  });
}

test('the worst of all services is the state of the process', () => {
  assert.equal(worstState(['serving', 'degraded', 'failing', 'serving']), 'failing');
  assert.equal(worstState(['serving', 'degraded']), 'degraded');
  assert.equal(worstState([]), 'serving');
});
