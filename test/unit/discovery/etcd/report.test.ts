import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdFault } from '../../../../src/etcd/fault.ts';
import { StateReport } from '../../../../src/discovery/etcd/report.ts';
import type { SourceState } from '../../../../src/core/status.ts';

function setUp() {
  const states: SourceState[] = [];
  const clock = { now: 1_000 };
  const counters = { sessions: 1, regressions: 0, mismatches: 0 };
  const report = new StateReport({
    report: (state) => states.push(state),
    counters: () => counters,
    now: () => clock.now,
  });
  return { report, states, clock, counters };
}

const refused = new EtcdFault('ECONNREFUSED', '10.0.0.1:2379 refused the connection');
const timeout = new EtcdFault('TIMEOUT', '10.0.0.2:2379 gave no answer within 1500 ms');

test('starting with the reason until the first success, stale with its time afterwards', () => {
  const { report, states, clock, counters } = setUp();
  report.fault(refused);
  report.ok();
  clock.now = 2_000;
  report.fault(refused);
  assert.deepEqual(states, [
    { status: 'starting', error: 'ECONNREFUSED: 10.0.0.1:2379 refused the connection' },
    { status: 'synced', lastOkAt: 1_000, counters },
    { status: 'stale', lastOkAt: 1_000, error: 'ECONNREFUSED: 10.0.0.1:2379 refused the connection', counters },
  ]);
});

test('a backend lost between its first list and its watch is stale, and says so although the fault is the old one', () => {
  const { report, states, counters } = setUp();
  report.fault(refused);
  report.listed();
  report.fault(refused);
  report.listed();
  report.fault(refused);
  assert.deepEqual(states.slice(1), [
    { status: 'stale', lastOkAt: 1_000, error: 'ECONNREFUSED: 10.0.0.1:2379 refused the connection', counters },
  ]);
});

test('one outage is reported once for each class of fault', () => {
  const { report, states } = setUp();
  for (let n = 0; n < 100; n += 1) {
    report.fault(refused);
    report.fault(timeout);
  }
  assert.equal(states.length, 2);
});

test('a class that comes back is reported again after half a minute, a steady one never', () => {
  const { report, states, clock } = setUp();
  report.fault(refused);
  report.fault(timeout);
  clock.now += 60_000;
  report.fault(timeout);
  assert.equal(states.length, 2);
  report.fault(refused);
  assert.equal(states.length, 3);
});

test('each success is reported, and begins a new count of faults', () => {
  const { report, states } = setUp();
  report.ok();
  report.ok();
  report.fault(refused);
  report.ok();
  report.fault(refused);
  assert.deepEqual(
    states.map(({ status }) => status),
    ['synced', 'synced', 'stale', 'synced', 'stale'],
  );
});
