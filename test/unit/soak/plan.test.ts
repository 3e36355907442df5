import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisPlan, registryPlan } from '../../soak/plan.ts';

function take<T>(plan: Generator<T, never>, count: number): readonly T[] {
  return Array.from({ length: count }, () => plan.next().value);
}

test('the same seed gives the same sequence of faults, another seed another one', () => {
  assert.deepEqual(take(registryPlan(7), 50), take(registryPlan(7), 50));
  assert.notDeepEqual(take(registryPlan(7), 50), take(registryPlan(8), 50));
  assert.deepEqual(take(redisPlan(7, 1), 50), take(redisPlan(7, 1), 50));
  assert.notDeepEqual(take(redisPlan(7, 1), 50), take(redisPlan(7, 2), 50));
});

test('every kind of fault comes up', () => {
  const kinds = new Set(take(registryPlan(1), 300).map(({ kind }) => kind));
  assert.equal(kinds.size, 10);
});
