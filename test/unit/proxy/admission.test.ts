import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { QUIET_MS } from '../../../src/proxy/shortage.ts';
import { Admission, BACK_OFF_MS, type AdmissionChange } from '../../../src/proxy/admission.ts';

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
  assert.deepEqual([admission.enter(), admission.enter(), admission.enter()], ['in', 'in', 'out_of_resources']);
  admission.leave();
  assert.deepEqual([admission.enter(), admission.enter()], ['in', 'out_of_resources']);
  admission.close();
});

test('a flood is two reports: when it begins, and when nobody has been refused for a while', (t) => {
  const { admission, changes, pass } = door(t, 1);
  admission.enter();
  for (let i = 0; i < 1_000; i += 1) {
    admission.enter();
    pass(10);
  }
  assert.deepEqual(changes, [{ of: 'descriptors', state: 'exhausted', errno: undefined, connections: 1, refused: 1 }]);
  admission.leave();
  pass(QUIET_MS / 3);
  assert.equal(changes.length, 1);
  pass(QUIET_MS / 3);
  pass(QUIET_MS / 3);
  assert.deepEqual(changes[1], {
    of: 'descriptors',
    state: 'recovered',
    errno: undefined,
    connections: 0,
    refused: 1_000,
  });
});

test('churn at the bound makes no line a connection', (t) => {
  const { admission, changes, pass } = door(t, 1);
  for (let i = 0; i < 1_000; i += 1) {
    assert.equal(admission.enter(), 'in');
    assert.equal(admission.enter(), 'out_of_resources');
    admission.leave();
    pass(10);
  }
  assert.equal(changes.length, 1);
  admission.close();
});

test('after the system has refused something nobody comes in for a moment, and then again', (t) => {
  const { admission, changes, pass } = door(t, Infinity);
  assert.equal(admission.enter(), 'in');
  admission.failed('EMFILE');
  assert.equal(admission.enter(), 'out_of_resources');
  pass(BACK_OFF_MS);
  assert.equal(admission.enter(), 'in');
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
