import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, type Entrant } from '../../../src/transport/gate.ts';

function crowd(gate: Gate, count: number): { readonly entrants: readonly Entrant[]; readonly entered: number[] } {
  const entered: number[] = [];
  const entrants = Array.from({ length: count }, (_, index) => ({ enter: () => entered.push(index) }));
  for (const entrant of entrants) gate.come(entrant);
  return { entrants, entered };
}

test('as many as there are places enter at once, the others in the order in which they came', () => {
  const gate = new Gate(2);
  const { entered } = crowd(gate, 5);
  assert.deepEqual(entered, [0, 1]);
  gate.leave();
  assert.deepEqual(entered, [0, 1, 2]);
  gate.leave();
  gate.leave();
  assert.deepEqual(entered, [0, 1, 2, 3, 4]);
});

test('one that gave up is passed over, and its place is for the next', () => {
  const gate = new Gate(1);
  const { entrants, entered } = crowd(gate, 3);
  const [, second] = entrants;
  assert.ok(second);
  gate.giveUp(second);
  gate.leave();
  assert.deepEqual(entered, [0, 2]);
  gate.leave();
  crowd(gate, 1);
  assert.deepEqual(entered, [0, 2], 'nobody enters twice');
});

test('a hundred thousand that leave as soon as they enter do not pile up calls', () => {
  const gate = new Gate(1);
  let entered = 0;
  gate.come({ enter: () => undefined });
  for (let i = 0; i < 100_000; i += 1) {
    gate.come({
      enter: () => {
        entered += 1;
        gate.leave();
      },
    });
  }
  gate.leave();
  assert.equal(entered, 100_000);
  let isIn = false;
  gate.come({ enter: () => (isIn = true) });
  assert.ok(isIn, 'the place is free again');
});
