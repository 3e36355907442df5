import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from '../../../src/admin/counters.ts';
import { ThroughputHistory } from '../../../src/admin/history.ts';
import type { ServiceTraffic } from '../../../src/core/open-connection.ts';
import { watchTimers } from '../../support/live-timers.ts';
import { eventually } from '../../support/wait.ts';

const moving = (service: string, bytesToCandidate: number, bytesToClient: number): ServiceTraffic => ({
  service,
  bytesToCandidate,
  bytesToClient,
  open: new Map(),
});

test('it notes what each service has moved, in the order that is asked for, and keeps three minutes', () => {
  let traffic: readonly ServiceTraffic[] = [];
  const history = new ThroughputHistory({ traffic: () => traffic, counters: new Counters().services });
  for (let n = 0; n <= 1_000; n += 1) {
    traffic = [moving('a', n, 2 * n), ...(n > 990 ? [moving('late', 7, 8)] : [])];
    history.note(n * 5_000);
  }
  const samples = history.samples(['late', 'a', 'unknown']);
  assert.equal(samples.length, 37);
  assert.equal((samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0), 180_000);
  assert.deepEqual(samples[0]?.bytes, [
    [0, 0],
    [964, 1_928],
    [0, 0],
  ]);
  assert.deepEqual(samples.at(-1)?.bytes, [
    [7, 8],
    [1_000, 2_000],
    [0, 0],
  ]);
});

test('what finished connections have moved is counted with what open ones have', () => {
  const counters = new Counters();
  const history = new ThroughputHistory({ traffic: () => [moving('a', 1, 2)], counters: counters.services });
  counters.observer({
    type: 'connection-closed',
    id: 1,
    service: 'a',
    listener: 0,
    client: '127.0.0.1:1',
    candidate: '127.0.0.1:2',
    durationMs: 5,
    bytesToCandidate: 10,
    bytesToClient: 20,
    reason: 'client_closed',
    endedBy: 'client',
  } as never);
  history.note(0);
  assert.deepEqual(history.samples(['a'])[0]?.bytes, [[11, 22]]);
});

test('it notes by itself from the start on, until it is closed', async (t) => {
  const timers = watchTimers(t);
  const before = timers();
  const history = new ThroughputHistory({ traffic: () => [], counters: new Map(), everyMs: 5 });
  history.start();
  assert.deepEqual([history.samples([]).length, timers()], [1, before + 1]);
  history.close();
  await new Promise(setImmediate);
  assert.equal(timers(), before);
  history.start();
  await eventually(() => history.samples([]).length > 4, 'noted again');
  history.close();
});
