import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Throughput } from '../../../../src/admin/page/browser/throughput.ts';
import type { LiveService, LiveState } from '../../../../src/admin/page/wire.ts';

/** On a step of the line. */
const START = 3_000_000;

function moved(...totals: readonly number[]): LiveState {
  const services = totals.map((bytes): LiveService => {
    const none = {
      reasons: [],
      registrations: [],
      listeners: [],
      candidates: [],
      candidateCount: 0,
      changes: [],
      ignored: [],
    };
    const counts = { open: 0, held: 0, opened: 0, bytesToCandidate: bytes, bytesToClient: bytes * 2 };
    const unknown = { discoveryError: undefined, discoveryOkAtMs: undefined, tls: undefined, split: undefined };
    return {
      name: 'x',
      ready: true,
      health: 'serving',
      healthReason: undefined,
      discovery: 'fixed',
      ...none,
      ...counts,
      ...unknown,
    };
  });
  return {
    version: '1',
    phase: 'serving',
    ready: true,
    health: 'serving',
    startedAtMs: 0,
    reasons: [],
    configuration: undefined,
    services,
    connections: [],
    failures: [],
  };
}

test('an even flow is an even line, each service and direction for itself', () => {
  const throughput = new Throughput();
  for (let n = 0; n <= 180; n += 1) throughput.add(moved(n * 1_000, 0), START + n * 1_000);
  const now = START + 180_000;
  const busy = throughput.of(0, now);
  assert.deepEqual([busy.sent.length, busy.received.length], [60, 60]);
  assert.ok(busy.sent.every((rate) => rate === 1_000));
  assert.ok(busy.received.every((rate) => rate === 2_000));
  assert.deepEqual([busy.sentNow, busy.receivedNow], [1_000, 2_000]);
  assert.ok(throughput.of(1, now).sent.every((rate) => rate === 0));
  assert.ok(throughput.of(7, now).sent.every((rate) => rate === undefined));
});

test('before the first look nothing is known, which is not the same as nothing', () => {
  const throughput = new Throughput();
  assert.equal(throughput.of(0, START).sentNow, undefined);
  throughput.add(moved(0), START);
  throughput.add(moved(3_000), START + 3_000);
  const { sent, sentNow } = throughput.of(0, START + 3_000);
  assert.equal(sentNow, 1_000);
  assert.deepEqual(sent.slice(-2), [undefined, 1_000]);
});

test('quiet times that nobody told of are flat, and what came after them is not spread over them', () => {
  const throughput = new Throughput();
  throughput.add(moved(0), START);
  throughput.add(moved(10_000), START + 60_000);
  const { sent } = throughput.of(0, START + 60_000);
  assert.ok(sent.slice(-20, -1).every((rate) => rate === 0));
  assert.ok((sent.at(-1) ?? 0) > 3_000);
});

test('what was moved during a cut is spread over it; another process begins anew', () => {
  const throughput = new Throughput();
  throughput.add(moved(0), START);
  throughput.cutOff();
  throughput.add(moved(60_000), START + 60_000);
  assert.ok(
    throughput
      .of(0, START + 60_000)
      .sent.slice(-20)
      .every((rate) => rate === 1_000),
  );
  throughput.clear();
  throughput.add(moved(5), START + 61_000);
  assert.ok(throughput.of(0, START + 61_000).sent.every((rate) => rate === undefined || rate === 0));
});

test('what the server has noted is taken for what the page has not seen itself, and what it has seen stays', () => {
  const past = Array.from({ length: 37 }, (_, n) => ({ atMs: START + n * 5_000, bytes: [[n * 5_000, 0]] as const }));
  const throughput = new Throughput();
  throughput.begin(past);
  throughput.add(moved(183_000), START + 183_000);
  const { sent, sentNow } = throughput.of(0, START + 183_000);
  assert.ok(
    sent.slice(1).every((rate) => rate === 1_000),
    sent.join(),
  );
  assert.equal(sentNow, 1_000);
  throughput.cutOff();
  throughput.begin([...past, { atMs: START + 190_000, bytes: [[190_000, 0]] }]);
  throughput.add(moved(192_000), START + 192_000);
  assert.ok(
    throughput
      .of(0, START + 192_000)
      .sent.slice(4)
      .every((rate) => rate === 1_000),
  );
});

test('it keeps no more than it shows, and is not put off by a state that is older than the last', () => {
  const throughput = new Throughput();
  for (let n = 0; n <= 10_000; n += 1) throughput.add(moved(n), START + n * 1_000);
  throughput.add(moved(0), START);
  assert.equal(throughput.of(0, START + 10_000_000).sentNow, 1);
  assert.equal(throughput.of(0, START).sentNow, undefined);
});
