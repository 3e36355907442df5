import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Admission, BACK_OFF_MS, isShortage, QUIET_MS, type AdmissionChange } from '../../../src/core/admission.ts';

function door(t: TestContext, most: number) {
  let now = 1_000_000;
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(performance, 'now', () => now);
  const changes: AdmissionChange[] = [];
  const admission = new Admission({ most, onChange: (change) => changes.push(change) });
  const pass = (ms: number) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  return { admission, changes, pass };
}

test('beyond the most nobody comes in, and a place given back is taken again', (t) => {
  const { admission } = door(t, 2);
  assert.deepEqual([admission.enter(), admission.enter(), admission.enter()], [true, true, false]);
  admission.leave();
  assert.deepEqual([admission.enter(), admission.enter()], [true, false]);
  admission.close();
});

test('a flood is two reports: when it begins, and when nobody has been refused for a while', (t) => {
  const { admission, changes, pass } = door(t, 1);
  admission.enter();
  for (let i = 0; i < 1_000; i += 1) {
    admission.enter();
    pass(10);
  }
  assert.deepEqual(changes, [{ state: 'exhausted', errno: undefined, connections: 1, refused: 1 }]);
  admission.leave();
  pass(QUIET_MS / 3);
  assert.equal(changes.length, 1);
  pass(QUIET_MS / 3);
  pass(QUIET_MS / 3);
  assert.deepEqual(changes[1], { state: 'recovered', errno: undefined, connections: 0, refused: 1_000 });
});

test('churn at the bound makes no line a connection', (t) => {
  const { admission, changes, pass } = door(t, 1);
  for (let i = 0; i < 1_000; i += 1) {
    assert.ok(admission.enter());
    assert.ok(!admission.enter());
    admission.leave();
    pass(10);
  }
  assert.equal(changes.length, 1);
  admission.close();
});

test('after the system has refused something nobody comes in for a moment, and then again', (t) => {
  const { admission, changes, pass } = door(t, Infinity);
  assert.ok(admission.enter());
  admission.failed('EMFILE');
  assert.ok(!admission.enter());
  pass(BACK_OFF_MS);
  assert.ok(admission.enter());
  pass(QUIET_MS);
  pass(QUIET_MS);
  assert.deepEqual(
    changes.map(({ state, errno }) => [state, errno]),
    [
      ['exhausted', 'EMFILE'],
      ['recovered', 'EMFILE'],
    ],
  );
});

test('what the system refuses to us is told from what a candidate refuses', () => {
  for (const errno of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) assert.ok(isShortage(errno), errno);
  for (const errno of ['ECONNREFUSED', 'TIMEOUT', 'EADDRNOTAVAIL', 'UNKNOWN']) assert.ok(!isShortage(errno), errno);
});
