import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Buckets } from '../../../src/admin/buckets.ts';
import { Exposition } from '../../../src/admin/exposition.ts';
import type { ServiceStatus } from '../../../src/core/status.ts';

const CANDIDATES = 40_000;

function service(count: number): ServiceStatus {
  return {
    name: 'redis',
    listeners: [],
    candidates: Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:6379`),
    candidateStates: [],
    known: true,
    discovery: { status: 'synced', lastOkAt: 0 },
    connections: 0,
    held: 0,
    drained: [],
  };
}

test(`the metrics of ${CANDIDATES} candidates are whole, and written in pieces between which others have their turn`, async () => {
  const exposition = new Exposition('1.2.3');
  const lag = new Buckets([1]);
  const readings = { traffic: [], counters: new Map(), lag, droppedLogLines: undefined };
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const text = await exposition.write({ ...readings, status: { phase: 'serving', services: [service(CANDIDATES)] } });
  isDone = true;
  const lines = text.split('\n').filter((line) => line.startsWith('attache_open_connections{'));
  assert.equal(new Set(lines).size, CANDIDATES + 1);
  assert.equal(text.match(/^# TYPE attache_open_connections /gm)?.length, 1);
  assert.ok(turns >= CANDIDATES / 1_000, `others had ${turns} turns`);
  const again = await exposition.write({ ...readings, status: { phase: 'serving', services: [service(2)] } });
  assert.equal(again.match(/^attache_open_connections\{/gm)?.length, 3, 'what has gone is not there any more');
});
