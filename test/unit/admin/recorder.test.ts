import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Changes } from '../../../src/admin/changes.ts';
import { FlightRecorder, RECORDED } from '../../../src/admin/recorder.ts';
import { finishedStory, openStory } from '../../../src/admin/story.ts';
import { closeReasons } from '../../../src/core/close-reason.ts';
import type { ConnectionClosedEvent, DialAttempt } from '../../../src/core/observer.ts';

function closed(id: number, more: Partial<ConnectionClosedEvent> = {}): ConnectionClosedEvent {
  return {
    type: 'connection-closed',
    service: 'redis',
    id,
    client: '10.0.0.7:41002',
    candidate: 'a:1',
    bytesToCandidate: 1,
    bytesToClient: 2,
    dialMs: 1,
    totalMs: 2_345,
    endedBy: 'client',
    reason: 'finished',
    attempts: [{ candidate: 'a:1', outcome: 'ok', ms: 1 }],
    ...more,
  };
}

test('the ring keeps the last thousand in the order in which they ended', () => {
  const recorder = new FlightRecorder();
  assert.deepEqual(recorder.recent(5), []);
  for (let id = 1; id <= 3; id += 1) recorder.observer(closed(id));
  assert.deepEqual(
    recorder.recent(5).map(({ id }) => id),
    [3, 2, 1],
  );
  for (let id = 4; id <= RECORDED + 10; id += 1) recorder.observer(closed(id));
  assert.equal(recorder.find(10), undefined);
  assert.equal(recorder.find(11)?.id, 11);
  assert.equal(recorder.find(RECORDED + 10)?.id, RECORDED + 10);
  const all = recorder.recent(5_000).map(({ id }) => id);
  assert.deepEqual([all.length, all[0], all.at(-1)], [RECORDED, RECORDED + 10, 11]);
});

test('of hundreds of attempts the first and the last are kept, and the story says how many are not told', () => {
  const recorder = new FlightRecorder();
  const attempts: DialAttempt[] = Array.from({ length: 300 }, (_, n) => ({
    candidate: `c:${n}`,
    outcome: 'TIMEOUT',
    ms: 1,
  }));
  recorder.observer(closed(1, { candidate: undefined, endedBy: 'attache', reason: 'no_candidate_answered', attempts }));
  const found = recorder.find(1);
  assert.ok(found !== undefined);
  assert.deepEqual([found.tried, found.attempts.length], [300, 20]);
  const { story } = finishedStory(found);
  assert.match(story, /c:9 failed after 1 ms: TIMEOUT\. \(280 more failed\.\) c:290 failed/);
  assert.match(
    story,
    /c:299 failed after 1 ms: TIMEOUT\. It ended after 2\.3 s: no candidate that may be tried answered\.$/,
  );
});

test('what failed in TLS stays with its connection, once', () => {
  const recorder = new FlightRecorder();
  const failure = {
    type: 'tls-failed',
    service: 'redis',
    id: 1,
    side: 'client',
    address: 'x',
    code: 'NOT_ALLOWED',
  } as const;
  recorder.observer({ ...failure, peer: 'evil\u001b[31m\u202e' });
  recorder.observer(closed(1, { candidate: undefined, reason: 'tls_peer_refused', endedBy: 'attache', attempts: [] }));
  recorder.observer(closed(2));
  const found = recorder.find(1);
  assert.ok(found !== undefined);
  const { story, tlsFailure } = finishedStory(found);
  assert.ok(
    story.includes('TLS with the client, which called itself evil\\u001b[31m\\u202e, failed: NOT_ALLOWED.'),
    story,
  );
  assert.deepEqual(tlsFailure, { side: 'client', code: 'NOT_ALLOWED', peer: 'evil\\u001b[31m\\u202e' });
  assert.equal(recorder.find(2)?.tlsFailure, undefined);
});

test('every reason has its sentence, and the facts in it are those beside it', () => {
  const recorder = new FlightRecorder();
  for (const [id, reason] of closeReasons.entries()) {
    recorder.observer(closed(id, { reason, tls: { peer: 'web\n', version: 'TLSv1.3', resumed: true } }));
    const found = recorder.find(id);
    assert.ok(found !== undefined);
    const told = finishedStory(found);
    assert.match(
      told.story,
      /^Connection \d+ of service redis came from 10\.0\.0\.7:41002 at \d{4}-\d\d-\d\dT[\d:.]+Z\. /,
    );
    assert.match(told.story, /The TLS peer was web\\u000a \(TLSv1\.3, resumed\)\. .*It ended after 2\.3 s: [^.]+\.$/);
    assert.equal(told.reason, reason);
    assert.equal(Date.parse(told.closedAt ?? '') - Date.parse(told.acceptedAt), 2_345);
  }
});

test('the story of one that is being dialed says whom', () => {
  const { story } = openStory(
    {
      service: 'redis',
      id: 4,
      client: 'unix',
      phase: 'dialing',
      candidate: 'b:1',
      bytesToCandidate: 0,
      bytesToClient: 0,
      ageMs: 1_000,
      attempts: [{ candidate: 'a:1', outcome: 'ECONNREFUSED', ms: 0.5 }],
    },
    1_000,
  );
  assert.equal(
    story,
    'Connection 4 of service redis came from unix at 1970-01-01T00:00:00.000Z. a:1 failed after 0.5 ms: ECONNREFUSED. ' +
      'It has been open for 1 s and is dialing b:1.',
  );
});

test('a detail that cannot be used is among the ignored keys, as one whose candidate stays', () => {
  const changes = new Changes();
  changes.observer({ type: 'candidate-detail-ignored', service: 'redis', key: 'a:1', reason: 'expected "weight"' });
  const { ignored } = changes.of('redis');
  assert.deepEqual(
    ignored.map(({ key, reason }) => [key, reason]),
    [['a:1', 'stays a candidate: expected "weight"']],
  );
});

test('changes and ignored keys are bounded, cut, made visible, and newest first', () => {
  const changes = new Changes();
  const service = 'redis';
  for (let n = 0; n < 50; n += 1) {
    const added = Array.from({ length: 100 }, (_, place) => `10.${n}.0.${place}:1`);
    changes.observer({ type: 'candidates-changed', service, candidates: [], added, removed: [] });
    changes.observer({
      type: 'candidate-ignored',
      service,
      key: `${n}\u001b]0;owned\u0007${'x'.repeat(9_999)}`,
      reason: 'no',
    });
  }
  changes.observer({ type: 'connections-reset', service, connections: 3, mode: 'reset' });
  changes.observer({ type: 'connections-reset', service, connections: 2, mode: 'reset' });
  const { changes: told, ignored } = changes.of(service);
  assert.deepEqual([told.length, ignored.length], [20, 10]);
  assert.deepEqual([told[0]?.added.length, told[0]?.addedCount, told[0]?.added[0]], [20, 100, '10.49.0.0:1']);
  assert.deepEqual(told[0]?.reset, { connections: 5, mode: 'reset' });
  assert.equal(told[1]?.reset, undefined);
  assert.match(ignored[0]?.key ?? '', /^49\\u001b\]0;owned\\u0007x+…$/);
  assert.ok((ignored[0]?.key.length ?? 0) < 300);
  assert.deepEqual(changes.of('other'), { changes: [], ignored: [] });
});
