import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { policyOf, randomPolicy, roundRobinPolicy, type Policy } from '../../../src/balancing/policies.ts';
import { Pool } from '../../../src/balancing/pool.ts';
import { endpointOf, type Endpoint, type EndpointDetails } from '../../../src/core/endpoint.ts';
import { seededRandom } from '../../support/seeded.ts';

const at = (port: number, details: EndpointDetails = {}): Endpoint =>
  endpointOf({ kind: 'tcp', host: '10.0.0.1', port }, details);

function poolOf(policy: Policy, ...set: readonly Endpoint[]): Pool {
  const pool = new Pool(policy, { ejection: { maxFails: 1, failTimeoutMs: 1_000 }, now: () => 0 });
  pool.replace(set);
  return pool;
}

/** The port that a connection is carried to, which is over at once. */
function visit(pool: Pool): number {
  const selection = pool.select();
  const port = Number(selection.next()?.key.split(':')[1]);
  if (!Number.isNaN(port)) selection.answered().leave();
  return port;
}

const visits = (pool: Pool, count: number) => Array.from({ length: count }, () => visit(pool));

function fail(pool: Pool): void {
  const selection = pool.select();
  selection.next();
  selection.failed('ECONNREFUSED');
}

test('round-robin: weights 5, 1, 1 give the smooth rotation, not five in a row', () => {
  const pool = poolOf(roundRobinPolicy(0), at(1, { weight: 5 }), at(2), at(3));
  assert.deepEqual(visits(pool, 14), [1, 1, 2, 1, 3, 1, 1, 1, 1, 2, 1, 3, 1, 1]);
});

test('round-robin: over each whole round every candidate is chosen as often as its weight says', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 4 }), (all, rounds) => {
      const pool = poolOf(roundRobinPolicy(0), ...all.map((weight, index) => at(index + 1, { weight })));
      const sum = all.reduce((a, b) => a + b, 0);
      for (let round = 0; round < rounds; round += 1) {
        const chosen = visits(pool, sum);
        for (const [index, weight] of all.entries()) {
          assert.equal(chosen.filter((port) => port === index + 1).length, weight);
        }
      }
    }),
  );
});

test('round-robin: a retry goes elsewhere and takes nothing from the share of others', () => {
  const pool = poolOf(roundRobinPolicy(1), at(1, { weight: 2 }), at(2));
  const selection = pool.select();
  assert.equal(selection.next()?.key, '10.0.0.1:1');
  assert.equal(selection.next()?.key, '10.0.0.1:2');
  selection.release();
  assert.deepEqual(visits(pool, 2).sort(), [1, 2]);
});

test('least-connections: connections that stay are spread by weight', () => {
  const pool = poolOf(policyOf('least-connections', 0), at(1, { weight: 3 }), at(2));
  for (let n = 0; n < 80; n += 1) pool.select().next();
  assert.deepEqual(
    pool.statuses.map(({ open }) => open),
    [60, 20],
  );
});

test('random: idle candidates are drawn by weight', () => {
  const pool = poolOf(randomPolicy(0, seededRandom(7)), at(1, { weight: 8 }), at(2), at(3));
  const chosen = visits(pool, 5_000);
  const share = chosen.filter((port) => port === 1).length / chosen.length;
  // Drawn first or second, and less loaded for its weight: it is chosen whenever it is one of the two.
  assert.ok(share > 0.8, String(share));
  assert.deepEqual([...new Set(chosen)].sort(), [1, 2, 3]);
});

for (const balance of ['ordered', 'round-robin', 'least-connections', 'random'] as const) {
  test(`${balance}: lower priorities come first, the next is for when none of them is available`, () => {
    const pool = poolOf(policyOf(balance, 0), at(3, { priority: 10 }), at(1), at(2));
    assert.ok(visits(pool, 20).every((port) => port !== 3));
    fail(pool);
    fail(pool);
    assert.deepEqual([...new Set(visits(pool, 5))], [3]);
  });

  test(`${balance}: a weight of 0 gets no new connection, and one again when the weight comes back`, () => {
    const pool = poolOf(policyOf(balance, 0), at(1, { weight: 0 }), at(2));
    assert.deepEqual([...new Set(visits(pool, 10))], [2]);
    const [member] = pool.candidates;
    pool.replace([at(1), at(2, { weight: 0 })]);
    assert.equal(pool.candidates[0], member, 'the member is the same');
    assert.deepEqual([...new Set(visits(pool, 10))], [1]);
    pool.replace([at(1, { weight: 0 }), at(2, { weight: 0 })]);
    assert.ok(Number.isNaN(visit(pool)));
  });
}
