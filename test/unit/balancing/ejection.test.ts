import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderedPolicy, roundRobinPolicy, type Policy } from '../../../src/balancing/policies.ts';
import { Pool } from '../../../src/balancing/pool.ts';
import type { Selection } from '../../../src/balancing/selection.ts';
import type { Address } from '../../../src/core/address.ts';
import type { FailureCode } from '../../../src/core/dial-failure.ts';
import { errnoOf } from '../../../src/core/errors.ts';

const at = (port: number): Address => ({ kind: 'tcp', host: '10.0.0.1', port });
const FAIL_TIMEOUT = 1_000;

interface Options {
  readonly policy?: Policy;
  readonly maxFails?: number;
  readonly failTimeoutMs?: number;
}

/** A pool of candidates 1, 2, ... whose clock stands until a test moves it. */
function poolOf(size: number, options: Options = {}) {
  const { policy = orderedPolicy(), maxFails = 3, failTimeoutMs = FAIL_TIMEOUT } = options;
  const clock = { ms: 5_000 };
  const heard: string[] = [];
  const pool = new Pool(policy, {
    ejection: { maxFails, failTimeoutMs },
    now: () => clock.ms,
    onHealth({ key }, change, errno = '') {
      const news = change.kind === 'ejected' ? `${change.fails} ${change.forMs} ${change.again} ${errno}` : '';
      heard.push(`${key.slice(-1)} ${change.kind} ${news}`.trim());
    },
  });
  pool.replace(Array.from({ length: size }, (_, i) => at(i + 1)));
  return { pool, clock, heard };
}

const portOf = (selection: Selection) => Number(selection.next()?.key.split(':')[1]);

/** Who is dialed by a connection to which nobody answers, in order; nothing of it counts. */
function order(pool: Pool): number[] {
  const selection = pool.select();
  const ports: number[] = [];
  for (let port = portOf(selection); !Number.isNaN(port); port = portOf(selection)) {
    ports.push(port);
    selection.release();
  }
  return ports;
}

/** A connection whose first candidate fails. */
function fail(pool: Pool, errno: FailureCode = 'ECONNREFUSED'): number {
  const selection = pool.select();
  const port = portOf(selection);
  selection.failed(errno);
  return port;
}

const hasUsable = (pool: Pool, clock: { readonly ms: number }) =>
  pool.undrained.some(({ health }) => health.isUsable(() => clock.ms));

const states = (pool: Pool) => pool.statuses.map(({ state }) => state);

test('MAX_FAILS failures in a row eject a candidate; one fewer does not', () => {
  const { pool, heard } = poolOf(2);
  fail(pool);
  fail(pool);
  assert.deepEqual(order(pool), [1, 2]);
  fail(pool);
  assert.deepEqual(order(pool), [2, 1]);
  assert.deepEqual(heard, ['1 ejected 3 1000 false ECONNREFUSED']);
  assert.deepEqual(pool.statuses, [
    { key: '10.0.0.1:1', state: 'ejected', fails: 3, lastErrno: 'ECONNREFUSED', open: 0 },
    { key: '10.0.0.1:2', state: 'available', fails: 0, open: 0 },
  ]);
});

test('a success between failures begins the count anew', () => {
  const { pool, heard } = poolOf(2);
  for (let i = 0; i < 9; i += 1) {
    fail(pool);
    fail(pool, 'TIMEOUT');
    assert.equal(pool.statuses[0]?.lastErrno, 'TIMEOUT');
    const selection = pool.select();
    selection.next();
    selection.answered().leave();
    assert.deepEqual(pool.statuses[0], { key: '10.0.0.1:1', state: 'available', fails: 0, open: 0 });
  }
  assert.deepEqual(order(pool), [1, 2]);
  assert.deepEqual(heard, []);
});

const unreachable = errnoOf({ code: 'EHOSTUNREACH' });
for (const errno of ['ECONNREFUSED', 'TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN', unreachable, 'EOF', 'NOT_ALLOWED'] as const) {
  test(`${errno} counts against a candidate`, () => {
    const { pool } = poolOf(2, { maxFails: 1 });
    fail(pool, errno);
    assert.deepEqual(states(pool), ['ejected', 'available']);
  });
}

for (const errno of ['REMOVED', 'NO_MATERIAL', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'] as const) {
  test(`${errno} is no fault of the candidate's`, () => {
    const { pool } = poolOf(2, { maxFails: 1 });
    fail(pool, errno);
    assert.deepEqual(pool.statuses[0], { key: '10.0.0.1:1', state: 'available', fails: 0, open: 0 });
  });
}

test('a dial that was given up because its client left counts nothing', () => {
  const { pool } = poolOf(2, { maxFails: 1 });
  const selection = pool.select();
  selection.next();
  selection.release();
  assert.deepEqual(states(pool), ['available', 'available']);
});

for (const [name, options] of [
  ['MAX_FAILS=0', { maxFails: 0 }],
  ['FAIL_TIMEOUT=0', { failTimeoutMs: 0 }],
] as const) {
  test(`${name} never ejects anybody`, () => {
    const { pool, heard } = poolOf(2, options);
    for (let i = 0; i < 50; i += 1) fail(pool);
    assert.deepEqual(order(pool), [1, 2]);
    assert.deepEqual(heard, []);
    assert.equal(pool.statuses[0]?.fails, 50);
  });
}

test('ordered: the ejection over, one connection at a time tries the first candidate, the others go round it', () => {
  const { pool, clock, heard } = poolOf(2, { maxFails: 1 });
  fail(pool);
  clock.ms += FAIL_TIMEOUT - 1;
  assert.equal(portOf(pool.select()), 2);
  clock.ms += 1;
  assert.deepEqual(states(pool), ['ejected', 'available']);
  const probe = pool.select();
  assert.equal(portOf(probe), 1);
  assert.deepEqual(states(pool), ['probing', 'available']);
  for (let i = 0; i < 5; i += 1) assert.equal(portOf(pool.select()), 2);
  probe.answered();
  assert.deepEqual(states(pool), ['available', 'available']);
  assert.equal(portOf(pool.select()), 1);
  assert.deepEqual(heard, ['1 ejected 1 1000 false ECONNREFUSED', '1 recovered']);
});

test('a probe that fails ejects the candidate for the whole time again', () => {
  const { pool, clock, heard } = poolOf(2, { maxFails: 2 });
  fail(pool);
  fail(pool);
  for (let round = 1; round <= 3; round += 1) {
    clock.ms += FAIL_TIMEOUT;
    assert.equal(fail(pool), 1);
    clock.ms += FAIL_TIMEOUT - 1;
    assert.equal(portOf(pool.select()), 2);
    clock.ms += 1;
  }
  assert.deepEqual(
    heard.map((line) => line.split(' ').slice(1, 5).join(' ')),
    ['ejected 2 1000 false', 'ejected 3 1000 true', 'ejected 4 1000 true', 'ejected 5 1000 true'],
  );
});

for (const [name, end] of [
  ['client leaves', (probe: Selection) => probe.release()],
  ['candidate lacks nothing but our certificate', (probe: Selection) => probe.failed('NO_MATERIAL')],
] as const) {
  test(`a probe whose ${name} makes the next connection the probe`, () => {
    const { pool, clock } = poolOf(2, { maxFails: 1 });
    fail(pool);
    clock.ms += FAIL_TIMEOUT;
    const probe = pool.select();
    assert.equal(portOf(probe), 1);
    assert.equal(portOf(pool.select()), 2);
    end(probe);
    assert.deepEqual(states(pool), ['ejected', 'available']);
    assert.equal(portOf(pool.select()), 1);
    assert.equal(portOf(pool.select()), 2);
  });
}

test('ordered: when everybody is ejected all are tried in order, and whoever answers is used at once', () => {
  const { pool, clock, heard } = poolOf(3, { maxFails: 1 });
  fail(pool);
  fail(pool);
  fail(pool);
  assert.equal(hasUsable(pool, clock), false);
  assert.deepEqual(order(pool), [1, 2, 3]);
  const last = pool.select();
  last.next();
  last.failed('ECONNREFUSED');
  assert.equal(portOf(last), 2);
  last.answered();
  assert.equal(hasUsable(pool, clock), true);
  assert.deepEqual(order(pool), [2, 1, 3]);
  assert.equal(heard.at(-1), '2 recovered');
});

test('failures of connections that had nobody else do not put the probe off', () => {
  const { pool, clock, heard } = poolOf(1, { maxFails: 1 });
  fail(pool);
  clock.ms += FAIL_TIMEOUT - 1;
  fail(pool);
  clock.ms += 1;
  assert.equal(hasUsable(pool, clock), true);
  const probe = pool.select();
  probe.next();
  assert.deepEqual(states(pool), ['probing']);
  // Another one that has nobody else fails meanwhile: only the probe decides.
  fail(pool);
  assert.deepEqual(states(pool), ['probing']);
  assert.equal(hasUsable(pool, clock), false);
  probe.answered();
  assert.deepEqual(states(pool), ['available']);
  assert.equal(heard.length, 2);
});

test('dials begun before a recovery and failing after it count nothing', () => {
  const { pool } = poolOf(1);
  const early = Array.from({ length: 20 }, () => {
    const selection = pool.select();
    selection.next();
    return selection;
  });
  for (const selection of early.slice(0, 3)) selection.failed('TIMEOUT');
  assert.deepEqual(states(pool), ['ejected']);
  const saved = pool.select();
  saved.next();
  saved.answered();
  for (const selection of early.slice(3)) selection.failed('TIMEOUT');
  assert.deepEqual(pool.statuses, [{ key: '10.0.0.1:1', state: 'available', fails: 0, open: 1 }]);
});

test('a probe that is overtaken by a recovery and then fails or is left changes nothing', () => {
  for (const end of [(probe: Selection) => probe.failed('TIMEOUT'), (probe: Selection) => probe.release()]) {
    const { pool, clock } = poolOf(1, { maxFails: 1 });
    fail(pool);
    clock.ms += FAIL_TIMEOUT;
    const probe = pool.select();
    probe.next();
    const other = pool.select();
    other.next();
    other.answered();
    assert.deepEqual(states(pool), ['available']);
    end(probe);
    assert.deepEqual(states(pool), ['available']);
  }
});

test('a candidate that leaves and comes back begins with a clean record, one that stays keeps its own', () => {
  const { pool } = poolOf(2, { maxFails: 1 });
  fail(pool);
  pool.replace([at(1), at(2), at(3)]);
  assert.deepEqual(order(pool), [2, 3, 1]);
  pool.replace([at(2), at(3)]);
  pool.replace([at(1), at(2), at(3)]);
  assert.deepEqual(order(pool), [1, 2, 3]);
});

test('round-robin goes on in exact rotation over those that are not ejected', () => {
  const { pool, clock } = poolOf(3, { policy: roundRobinPolicy(0), maxFails: 1 });
  const picks = (count: number) =>
    Array.from({ length: count }, () => {
      const selection = pool.select();
      const port = portOf(selection);
      selection.answered().leave();
      return port;
    });
  assert.deepEqual(picks(1), [1]);
  assert.equal(fail(pool), 2);
  assert.deepEqual(picks(6), [3, 1, 3, 1, 3, 1]);
  clock.ms += FAIL_TIMEOUT;
  // In its turn it is probed, answers, and is back.
  assert.deepEqual(picks(6), [2, 3, 1, 2, 3, 1]);
});

test('round-robin: a candidate that is being probed is skipped, and with retries one that is ejected is the last to be tried', () => {
  const { pool, clock } = poolOf(3, { policy: roundRobinPolicy(2), maxFails: 1 });
  fail(pool);
  assert.deepEqual(order(pool), [2, 3, 1]);
  assert.deepEqual(order(pool), [3, 2, 1]);
  clock.ms += FAIL_TIMEOUT;
  pool.select().next();
  assert.deepEqual(states(pool), ['probing', 'available', 'available']);
  assert.deepEqual(order(pool), [2, 3, 1]);
});

test('round-robin uses those that are ejected when nobody else is left, in rotation', () => {
  const { pool } = poolOf(3, { policy: roundRobinPolicy(0), maxFails: 1 });
  assert.deepEqual([fail(pool), fail(pool), fail(pool)], [1, 2, 3]);
  assert.deepEqual([fail(pool), fail(pool), fail(pool), fail(pool)], [1, 2, 3, 1]);
});
