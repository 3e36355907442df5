import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeHealth } from '../../../src/admin/health.ts';
import { finishedStory } from '../../../src/admin/story.ts';
import { explained, hintOf } from '../../../src/core/errno-hint.ts';
import type { DialAttempt } from '../../../src/core/observer.ts';

test('a code that needs it is told with what to do, any other as it is', () => {
  assert.match(explained('IPV6_ONLY'), /^IPV6_ONLY \(the name has an IPv6 address .*NET=tcp6/);
  assert.match(explained('IPV4_ONLY'), /^IPV4_ONLY \(the name has an IPv4 address .*NET=tcp4/);
  assert.equal(explained('ECONNREFUSED'), 'ECONNREFUSED');
  assert.equal(hintOf('constructor'), undefined);
});

test('the story of a connection says that a name has an address in the other family, and names NET', () => {
  const attempts: readonly DialAttempt[] = [{ candidate: 'six.test:6379', outcome: 'IPV6_ONLY', ms: 1 }];
  const { story } = finishedStory({
    service: 'redis',
    id: 1,
    client: '127.0.0.1:1',
    candidate: undefined,
    attempts,
    tried: 1,
    bytesToCandidate: 0,
    bytesToClient: 0,
    dialMs: 1,
    totalMs: 1,
    endedBy: 'attache',
    reason: 'no_candidate_answered',
    closedAtMs: 0,
  });
  assert.match(story, /six\.test:6379 failed after 1 ms: IPV6_ONLY \(.*IPv6 address.*set NET=tcp6/);
});

test('readiness says of a listen name that it has an address in the other family, and names NET', () => {
  const asked = { kind: 'tcp', host: 'six.test', port: 1 } as const;
  const service = {
    name: 'redis',
    listeners: [{ asked, status: { phase: 'failed', errno: 'IPV6_ONLY' } as const }],
    candidates: ['10.0.0.1:1'],
    candidateStates: [],
    known: true,
    discovery: { status: 'synced', lastOkAt: 0 } as const,
    connections: 0,
    drained: [],
    held: 0,
  };
  const health = judgeHealth({ phase: 'serving', services: [service] }, { minCandidates: 0, now: 0 });
  assert.match(health.services[0]?.reasons[0] ?? '', /^not listening on six\.test:1: IPV6_ONLY \(.*NET=tcp6/);
  assert.match(health.services[0]?.listeners[0]?.hint ?? '', /NET=tcp6/);
});
