import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leastConnectionsPolicy, policyOf, randomPolicy, type Policy } from '../../../src/balancing/policies.ts';
import { Pool } from '../../../src/balancing/pool.ts';
import type { LoadTicket } from '../../../src/balancing/load-ticket.ts';
import type { Selection } from '../../../src/balancing/selection.ts';
import type { Address } from '../../../src/core/address.ts';
import { seededRandom } from '../../support/seeded.ts';

const at = (port: number): Address => ({ kind: 'tcp', host: '10.0.0.1', port });
const portOf = (selection: Selection) => Number(selection.next()?.key.split(':')[1]);
const hasUsable = (pool: Pool) => pool.undrained.some(({ health }) => health.isUsable(() => 0));
const loads = (pool: Pool) => pool.statuses.map(({ open }) => open);

function poolOf(size: number, policy: Policy): Pool {
  const pool = new Pool(policy, { ejection: { maxFails: 1, failTimeoutMs: 1_000 }, now: () => 0 });
  pool.replace(Array.from({ length: size }, (_, i) => at(i + 1)));
  return pool;
}

/** A connection that is carried until it leaves its seat. */
function carry(pool: Pool): { readonly port: number; readonly seat: LoadTicket } {
  const selection = pool.select();
  return { port: portOf(selection), seat: selection.answered() };
}

test('least-connections: those that are being dialed count, so that a burst is spread', () => {
  const pool = poolOf(4, leastConnectionsPolicy(0));
  for (let i = 0; i < 100; i += 1) pool.select().next();
  assert.deepEqual(loads(pool), [25, 25, 25, 25]);
});

test('least-connections: the one with the fewest is next, whatever its place', () => {
  const pool = poolOf(3, leastConnectionsPolicy(0));
  const carried = Array.from({ length: 9 }, () => carry(pool));
  assert.deepEqual(loads(pool), [3, 3, 3]);
  const onSecond = carried.filter(({ port }) => port === 2);
  for (const { seat } of onSecond) seat.leave();
  assert.deepEqual([carry(pool).port, carry(pool).port, carry(pool).port], [2, 2, 2]);
});

test('least-connections: equals take turns, also when every connection is over before the next', () => {
  const pool = poolOf(3, leastConnectionsPolicy(0));
  const ports = Array.from({ length: 9 }, () => {
    const { port, seat } = carry(pool);
    seat.leave();
    return port;
  });
  assert.deepEqual(ports, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

test('least-connections: retries go to the next fewest', () => {
  const pool = poolOf(3, leastConnectionsPolicy(1));
  const carried = Array.from({ length: 6 }, () => carry(pool));
  carried.find(({ port }) => port === 3)?.seat.leave();
  carried.filter(({ port }) => port === 2).forEach(({ seat }) => seat.leave());
  const selection = pool.select();
  assert.equal(portOf(selection), 2);
  selection.failed('ECONNREFUSED');
  assert.equal(portOf(selection), 3);
  selection.failed('ECONNREFUSED');
  assert.equal(selection.next(), undefined);
});

test('random: of the two drawn the one with fewer connections is taken', () => {
  const draws = [0, 0];
  const pool = poolOf(
    3,
    randomPolicy(0, () => draws.shift() ?? 0),
  );
  assert.equal(carry(pool).port, 1);
  draws.push(0, 0);
  // 1 and 2 are drawn, and 1 has a connection.
  assert.equal(carry(pool).port, 2);
  draws.push(0, 0.99);
  // 1 and 3.
  assert.equal(carry(pool).port, 3);
});

test('random: the two drawn are never the same, and every pair is drawn as often', () => {
  const random = seededRandom(7);
  const draws = new Map<string, number>();
  const rounds = 60_000;
  const policy = randomPolicy(0, random);
  for (let i = 0; i < rounds; i += 1) {
    const touched = new Set<number>();
    const candidates = [0, 1, 2, 3].map((index) => ({
      key: String(index),
      address: at(index + 1),
      weight: 1,
      priority: 0,
      get open() {
        touched.add(index);
        return 0;
      },
    }));
    policy.begin({ client: 'unknown' }).next(candidates, () => true);
    const pair = [...touched].sort().join('');
    draws.set(pair, (draws.get(pair) ?? 0) + 1);
  }
  assert.deepEqual([...draws.keys()].sort(), ['01', '02', '03', '12', '13', '23']);
  for (const count of draws.values()) assert.ok(Math.abs(count - rounds / 6) < rounds / 60, String(count));
});

test('random: much more even than one draw: with 10 candidates and 10,000 connections none has 1% more than its share', () => {
  const pool = poolOf(10, randomPolicy(0, seededRandom(42)));
  for (let i = 0; i < 10_000; i += 1) carry(pool);
  // One draw would leave a spread of about 30 each way (the square root of the share).
  for (const open of loads(pool)) assert.ok(Math.abs(open - 1_000) <= 10, String(loads(pool)));
});

test('random: each connection tries another candidate, as often as RETRIES allows', () => {
  const pool = poolOf(5, randomPolicy(2));
  for (let i = 0; i < 50; i += 1) {
    const selection = pool.select();
    const ports = [portOf(selection), portOf(selection), portOf(selection), portOf(selection)];
    assert.equal(new Set(ports.slice(0, 3)).size, 3);
    assert.ok(Number.isNaN(ports[3]));
    selection.release();
  }
});

for (const balance of ['round-robin', 'least-connections', 'random'] as const) {
  test(`${balance}: a candidate that is ejected is skipped while another is left, and used when none is`, () => {
    const pool = poolOf(3, policyOf(balance, 0));
    const failed = new Set<number>();
    const failOne = () => {
      const selection = pool.select();
      failed.add(portOf(selection));
      selection.failed('ECONNREFUSED');
    };
    failOne();
    for (let i = 0; i < 30; i += 1) assert.ok(!failed.has(carry(pool).port));
    failOne();
    for (let i = 0; i < 30; i += 1) assert.ok(!failed.has(carry(pool).port));
    failOne();
    assert.equal(failed.size, 3);
    assert.ok(!hasUsable(pool));
    assert.ok(failed.has(portOf(pool.select())));
  });
}

for (const balance of ['ordered', 'round-robin', 'least-connections', 'random'] as const) {
  test(`${balance}: no candidate in an empty set, and the only one of a set of one`, () => {
    const pool = poolOf(0, policyOf(balance, 3));
    assert.ok(!hasUsable(pool));
    assert.equal(pool.select().next(), undefined);
    pool.replace([at(9)]);
    for (let i = 0; i < 3; i += 1) assert.equal(portOf(pool.select()), 9);
  });
}
