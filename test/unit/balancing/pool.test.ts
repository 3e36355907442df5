import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { orderedPolicy, roundRobinPolicy } from '../../../src/balancing/policies.ts';
import { Pool } from '../../../src/balancing/pool.ts';
import type { Selection } from '../../../src/balancing/selection.ts';
import type { Address } from '../../../src/core/address.ts';

const at = (port: number): Address => ({ kind: 'tcp', host: '10.0.0.1', port });

function ports(selection: Selection): number[] {
  const tried: number[] = [];
  for (let next = selection.next(); next !== undefined; next = selection.next()) {
    if (next.address.kind === 'tcp') tried.push(next.address.port);
  }
  return tried;
}

const first = (pool: Pool) => ports(pool.select())[0];

test('ordered tries the first, then the next, until all were tried, for every connection anew', () => {
  const pool = new Pool(orderedPolicy());
  pool.replace([at(1), at(2), at(3)]);
  assert.deepEqual(ports(pool.select()), [1, 2, 3]);
  assert.deepEqual(ports(pool.select()), [1, 2, 3]);
});

test('round-robin rotates exactly and does not retry by default', () => {
  const pool = new Pool(roundRobinPolicy(0));
  pool.replace([at(1), at(2), at(3)]);
  assert.deepEqual(
    Array.from({ length: 7 }, () => ports(pool.select())),
    [[1], [2], [3], [1], [2], [3], [1]],
  );
});

test('round-robin with retries tries that many further candidates in rotation order without moving the rotation', () => {
  const pool = new Pool(roundRobinPolicy(1));
  pool.replace([at(1), at(2), at(3)]);
  assert.deepEqual(ports(pool.select()), [1, 2]);
  assert.deepEqual(ports(pool.select()), [2, 3]);
  assert.deepEqual(ports(pool.select()), [3, 1]);
});

test('round-robin with more retries than candidates tries each once', () => {
  const pool = new Pool(roundRobinPolicy(9));
  pool.replace([at(1), at(2)]);
  assert.deepEqual(ports(pool.select()), [1, 2]);
});

for (const [name, policy] of [
  ['ordered', orderedPolicy()],
  ['round-robin', roundRobinPolicy(3)],
] as const) {
  test(`${name} over an empty set has no candidate, before and after there was one`, () => {
    const pool = new Pool(policy);
    assert.equal(pool.select().next(), undefined);
    pool.replace([at(1)]);
    assert.equal(first(pool), 1);
    pool.replace([]);
    assert.equal(pool.select().next(), undefined);
  });
}

test('connections that meet an empty set use up no place in the rotation', () => {
  const pool = new Pool(roundRobinPolicy(0));
  pool.select().next();
  pool.replace([at(1), at(2)]);
  assert.equal(first(pool), 1);
});

test('a candidate that left while an earlier one was dialed is not tried, one that came is', () => {
  const pool = new Pool(orderedPolicy());
  pool.replace([at(1), at(2)]);
  const selection = pool.select();
  selection.next();
  pool.replace([at(1), at(3)]);
  assert.deepEqual(ports(selection), [3]);
});

test('a candidate that left uses up no retry, and comes anew when it comes back', () => {
  const pool = new Pool(roundRobinPolicy(0));
  pool.replace([at(1), at(2)]);
  const selection = pool.select();
  selection.next();
  pool.replace([at(2)]);
  assert.deepEqual(ports(selection), [2]);
  pool.replace([at(1)]);
  assert.deepEqual(ports(selection), [1]);
});

test('a swap: who came is a member once, who left is none, and members that stay keep their identity', () => {
  const pool = new Pool(orderedPolicy());
  pool.replace([at(1), at(2)]);
  const kept = pool.candidates[1];
  pool.replace([at(2), at(3), at(3)]);
  assert.deepEqual(
    pool.candidates.map(({ key }) => key),
    ['10.0.0.1:2', '10.0.0.1:3'],
  );
  assert.equal(pool.candidates[0], kept);
});

test('whatever changes happen, round-robin spreads evenly while the set stands still', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      const pool = new Pool(roundRobinPolicy(0));
      for (const size of sizes) {
        pool.replace(Array.from({ length: size }, (_, i) => at(i + 1)));
        const seen = new Map<number | undefined, number>();
        for (let i = 0; i < 2 * size; i += 1) {
          const port = first(pool);
          seen.set(port, (seen.get(port) ?? 0) + 1);
        }
        assert.deepEqual(new Set(seen.values()), new Set([2]));
        assert.equal(seen.size, size);
      }
    }),
  );
});
