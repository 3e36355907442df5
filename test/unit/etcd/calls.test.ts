import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callGuard, type CallGuard } from '../../../src/etcd/calls.ts';

interface Listener {
  onReceiveMessage?: (message: unknown) => void;
  onReceiveStatus?: (status: { code: number; details: string }) => void;
}

/** Runs one call through the guard, with the channel below it in the test's hands. */
function call(guard: CallGuard) {
  const metadata = Object.assign(new Map<string, string>(), { setOptions: () => undefined });
  const seen: unknown[] = [];
  const cancelled: number[] = [];
  let below: Listener = {};
  const bottom = {
    start: (_: unknown, listener: Listener) => (below = listener),
    cancelWithStatus: (code: number) => cancelled.push(code),
  };
  const started = guard.interceptor({} as never, () => bottom as never) as unknown as {
    start(metadata: object, listener: Listener): void;
  };
  started.start(metadata, {
    onReceiveMessage: (message) => seen.push(message),
    onReceiveStatus: (status) => seen.push(status),
  });
  return { metadata, seen, cancelled, below };
}

test('each call asks for a member with a leader, and carries the token of the moment', () => {
  const guard = callGuard();
  assert.deepEqual([...call(guard).metadata], [['hasleader', 'true']]);
  guard.token = 'abc';
  assert.equal(call(guard).metadata.get('token'), 'abc');
});

for (const words of ['invalid auth token', 'user name is empty', 'revision of auth store is old']) {
  test(`"${words}" is told by the code of a missing log-in, not by its words`, () => {
    const { below, seen } = call(callGuard());
    below.onReceiveStatus?.({ code: 3, details: `etcdserver: ${words}` });
    assert.deepEqual(seen, [{ code: 16, details: 'etcd wants a new log-in' }]);
  });
}

test('other statuses pass as they are', () => {
  const { below, seen } = call(callGuard());
  below.onReceiveStatus?.({ code: 14, details: 'etcdserver: no leader' });
  assert.deepEqual(seen, [{ code: 14, details: 'etcdserver: no leader' }]);
});

test('at the end open calls are cancelled, finished ones are not, and no message passes any more', () => {
  const guard = callGuard();
  const [open, finished] = [call(guard), call(guard)];
  finished.below.onReceiveStatus?.({ code: 0, details: '' });
  guard.cancelAll();
  assert.deepEqual([open.cancelled, finished.cancelled], [[1], []]);
  open.below.onReceiveMessage?.('late');
  assert.deepEqual(open.seen, []);
});
