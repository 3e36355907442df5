import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { mayReadOn, waitForTurn, type TurnTaker } from '../../../../src/transport/node/turns.ts';

const MIB = 1024 * 1024;

/** Lets turns pass until nobody waits, so that the next to wait begins anew. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await turn();
}

function faulted(error: unknown): never {
  throw error;
}

test('300 streams that wait go on in the order in which they came, a bounded number in one turn', async () => {
  const order: number[] = [];
  const perTurn: number[] = [];
  for (let i = 0; i < 300; i += 1) waitForTurn({ faulted, turnCame: () => order.push(i) });
  for (let turns = 0; order.length < 300 && turns < 100; turns += 1) {
    const before = order.length;
    await turn();
    perTurn.push(order.length - before);
  }
  assert.deepEqual(
    order,
    Array.from({ length: 300 }, (_, i) => i),
  );
  assert.ok(Math.max(...perTurn) <= 40, `${Math.max(...perTurn)} streams in one turn`);
  await quiet();
});

test('one stream may read some MiB in a turn, each of 300 no more than 64 KiB', async () => {
  const nobody: TurnTaker = { faulted, turnCame: () => undefined };
  await quiet();
  waitForTurn(nobody);
  await turn();
  assert.ok(mayReadOn(0, 2 * MIB));
  assert.ok(!mayReadOn(0, 6 * MIB));
  for (let i = 0; i < 300; i += 1) waitForTurn(nobody);
  await turn();
  assert.ok(mayReadOn(0, 63 * 1024));
  assert.ok(!mayReadOn(0, 64 * 1024));
  for (let i = 0; i < 20; i += 1) await turn();
  waitForTurn(nobody);
  await turn();
  assert.ok(mayReadOn(0, 2 * MIB), 'when the others are through there is room again');
});

test('streams that all begin in one turn share its bytes, though nobody has waited yet', async () => {
  await quiet();
  let moved = 0;
  for (let i = 0; i < 300; i += 1) {
    let spent = 0;
    do {
      spent += 64 * 1024;
      moved += 64 * 1024;
    } while (moved < 1024 * MIB && mayReadOn(64 * 1024, spent));
  }
  assert.ok(moved <= 6 * MIB + 300 * 64 * 1024, `${(moved / MIB).toFixed(0)} MiB in one turn`);
  await quiet();
});
