import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullJitterBackoff } from '../../../src/core/backoff.ts';

test('waits double their bound up to the maximum, and begin anew after a reset', () => {
  const backoff = fullJitterBackoff({ initialMs: 100, maxMs: 1_000, random: () => 1 });
  assert.deepEqual(
    Array.from({ length: 6 }, () => backoff.next()),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test('a wait is spread over everything between the least and the bound', () => {
  for (const [random, wait] of [
    [0, 50],
    [0.5, 75],
    [1, 100],
  ] as const) {
    assert.equal(fullJitterBackoff({ initialMs: 100, maxMs: 1_000, minMs: 50, random: () => random }).next(), wait);
  }
});
