import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore, type Acquirer } from '../../../src/core/semaphore.ts';

const faulted = (error: unknown): never => assert.fail(String(error));

function crowd(gate: Semaphore, count: number): { readonly entrants: readonly Acquirer[]; readonly entered: number[] } {
  const entered: number[] = [];
  const entrants = Array.from({ length: count }, (_, index) => ({ faulted, granted: () => entered.push(index) }));
  for (const entrant of entrants) gate.acquire(entrant);
  return { entrants, entered };
}

test('as many as there are places enter at once, the others in the order in which they came', () => {
  const gate = new Semaphore(2);
  const { entered } = crowd(gate, 5);
  assert.deepEqual(entered, [0, 1]);
  gate.release();
  assert.deepEqual(entered, [0, 1, 2]);
  gate.release();
  gate.release();
  assert.deepEqual(entered, [0, 1, 2, 3, 4]);
});

test('one that gave up is passed over, and its place is for the next', () => {
  const gate = new Semaphore(1);
  const { entrants, entered } = crowd(gate, 3);
  const [, second] = entrants;
  assert.ok(second);
  gate.cancel(second);
  gate.release();
  assert.deepEqual(entered, [0, 2]);
  gate.release();
  crowd(gate, 1);
  assert.deepEqual(entered, [0, 2], 'nobody enters twice');
});

test('a hundred thousand that leave as soon as they enter do not pile up calls', () => {
  const gate = new Semaphore(1);
  let entered = 0;
  gate.acquire({ faulted, granted: () => undefined });
  for (let i = 0; i < 100_000; i += 1) {
    gate.acquire({
      faulted,
      granted: () => {
        entered += 1;
        gate.release();
      },
    });
  }
  gate.release();
  assert.equal(entered, 100_000);
  let isIn = false;
  gate.acquire({ faulted, granted: () => (isIn = true) });
  assert.ok(isIn, 'the place is free again');
});
