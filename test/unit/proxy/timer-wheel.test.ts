import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimerWheel } from '../../../src/proxy/timer-wheel.ts';

test('an item comes at the first tick at or after its time, once', () => {
  const wheel = new TimerWheel<string>({ tickMs: 10, slots: 8, now: 1_000 });
  wheel.put('a', 1_025);
  assert.deepEqual(wheel.due(1_029), []);
  assert.deepEqual(wheel.due(1_030), ['a']);
  assert.deepEqual(wheel.due(1_200), []);
  assert.equal(wheel.size, 0);
});

test('an item whose time is past comes at the next tick', () => {
  const wheel = new TimerWheel<string>({ tickMs: 10, slots: 8, now: 1_000 });
  wheel.put('a', 0);
  assert.deepEqual(wheel.due(1_010), ['a']);
});

test('an item that is put again, or for ever, comes at its new time alone', () => {
  const wheel = new TimerWheel<string>({ tickMs: 10, slots: 8, now: 0 });
  wheel.put('a', 20);
  wheel.put('a', 50);
  wheel.put('b', 20);
  wheel.put('b', Infinity);
  wheel.put('c', 20);
  wheel.delete('c');
  assert.deepEqual(wheel.due(40), []);
  assert.deepEqual(wheel.due(50), ['a']);
  assert.equal(wheel.size, 0);
});

test('after a pause longer than the ring everything due comes once, and the ring goes on', () => {
  const wheel = new TimerWheel<string>({ tickMs: 10, slots: 8, now: 0 });
  wheel.put('a', 10);
  wheel.put('b', 80);
  assert.deepEqual(wheel.due(10_000).sort(), ['a', 'b']);
  wheel.put('c', 10_020);
  assert.deepEqual(wheel.due(10_010), []);
  assert.deepEqual(wheel.due(10_020), ['c']);
});

test('whatever is put and however time goes, no item is lost, late by more than a tick, or early but for the ring’s end', () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 300 }), ahead: fc.integer({ min: 0, max: 500 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [tickMs, slots] = [10, 16];
      const wheel = new TimerWheel<number>({ tickMs, slots, now: 0 });
      const waiting = new Map<number, { at: number; putAt: number }>();
      let now = 0;
      for (const [item, { wait, ahead }] of steps.entries()) {
        now += wait;
        for (const due of wheel.due(now)) {
          const { at = Infinity, putAt = 0 } = waiting.get(due) ?? {};
          assert.ok(at <= now || now >= putAt + (slots - 1) * tickMs, `${due} is early`);
          waiting.delete(due);
        }
        for (const { at } of waiting.values()) assert.ok(at > now - tickMs, 'late');
        wheel.put(item, now + ahead);
        waiting.set(item, { at: now + ahead, putAt: now });
      }
      assert.equal(wheel.size, waiting.size);
    }),
  );
});
