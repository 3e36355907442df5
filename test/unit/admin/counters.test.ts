import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Buckets } from '../../../src/admin/buckets.ts';
import { Counters } from '../../../src/admin/counters.ts';

const service = 'redis';

function withMembers(...added: readonly string[]): Counters {
  const counters = new Counters();
  counters.observer({ type: 'candidates-changed', service, candidates: [], added, removed: [] });
  return counters;
}

test('codes that peers make up are told apart up to a bound, and all of them are counted', () => {
  const counters = withMembers('a:1');
  for (let id = 0; id < 1_000; id += 1) {
    counters.observer({ type: 'tls-failed', service, id, side: 'client', address: 'x', code: `MADE_UP_${id}` });
    counters.observer({ type: 'dial-failed', service, id, candidate: 'a:1', errno: `E${id}`, ms: 1 });
  }
  const counted = counters.services.get(service);
  const failures = counted?.members.get('a:1')?.failures;
  for (const codes of [counted?.tlsFailures.client, failures]) {
    assert.ok(codes !== undefined);
    assert.equal(codes.size, 33);
    assert.equal(codes.get('other'), 1_000 - 32);
    assert.equal(
      [...codes.values()].reduce((sum, count) => sum + count, 0),
      1_000,
    );
  }
});

test('a connection whose TLS peer ended without close_notify is counted, and no other', () => {
  const counters = withMembers('a:1');
  const shared = { service, id: 1, client: 'x', candidate: 'a:1', bytesToCandidate: 0, bytesToClient: 0 } as const;
  const closed = {
    ...shared,
    type: 'connection-closed',
    dialMs: 0,
    totalMs: 0,
    endedBy: 'client',
    attempts: [],
  } as const;
  counters.observer({ ...closed, reason: 'finished', unclean: true });
  counters.observer({ ...closed, reason: 'finished' });
  assert.equal(counters.services.get(service)?.unclean, 1);
});

test('a failure at a candidate that has left is counted for nobody, and a candidate that comes back starts anew', () => {
  const counters = withMembers('a:1');
  const fail = () =>
    counters.observer({ type: 'dial-failed', service, id: 1, candidate: 'a:1', errno: 'TIMEOUT', ms: 1 });
  fail();
  counters.observer({ type: 'candidates-changed', service, candidates: [], added: [], removed: ['a:1'] });
  fail();
  assert.equal(counters.services.get(service)?.members.size, 0);
  counters.observer({ type: 'candidates-changed', service, candidates: [], added: ['a:1'], removed: [] });
  assert.equal(counters.services.get(service)?.members.get('a:1')?.failures.size, 0);
});

test('only what was established and ended from here is a reset', () => {
  const counters = new Counters();
  const closed = {
    type: 'connection-closed',
    service,
    id: 1,
    client: 'c',
    bytesToCandidate: 1,
    bytesToClient: 2,
    dialMs: 1,
    totalMs: 2,
    attempts: [],
  } as const;
  counters.observer({ ...closed, candidate: 'a:1', endedBy: 'attache', reason: 'shutdown' });
  counters.observer({ ...closed, candidate: undefined, endedBy: 'attache', reason: 'max_connections' });
  counters.observer({ ...closed, candidate: 'a:1', endedBy: 'client', reason: 'finished' });
  const counted = counters.services.get(service);
  assert.ok(counted !== undefined);
  assert.equal(counted.resets.get('shutdown'), 1);
  assert.equal(
    [...counted.resets.values()].reduce((sum, count) => sum + count, 0),
    1,
  );
  assert.deepEqual([counted.bytesToCandidate, counted.bytesToClient], [3, 6]);
});

test('a value on a bound is in the bucket of that bound, and one above all is in the last', () => {
  const buckets = new Buckets([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, Infinity]) buckets.add(value);
  assert.deepEqual(buckets.counts, [2, 2, 1, 2]);
  assert.equal(buckets.count, 7);
});
