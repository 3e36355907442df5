import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onFileThread } from '../../../src/files/file-threads.ts';
import { deferred } from '../../support/wait.ts';

const late = () => new Error('late');

test('two at most are under way, and what never ends keeps its place without keeping its caller', async () => {
  const hung = [deferred<string>(), deferred<string>()];
  const waiting = hung.map(({ promise }) =>
    assert.rejects(
      onFileThread(() => promise, 20, late),
      /late/,
    ),
  );
  await Promise.all(waiting);
  let begun = 0;
  const never = onFileThread(
    () => {
      begun += 1;
      return Promise.resolve('');
    },
    20,
    late,
  );
  await assert.rejects(never, /late/);
  assert.equal(begun, 0);
  const next = onFileThread(() => Promise.resolve('read'), 10_000, late);
  hung[0]?.resolve('at last');
  assert.equal(await next, 'read');
  assert.equal(begun, 0);
  hung[1]?.resolve('at last');
});

test('what fails gives its place back', async () => {
  for (let i = 0; i < 5; i += 1) {
    await assert.rejects(
      onFileThread(() => Promise.reject(new Error('failed')), 10_000, late),
      /failed/,
    );
  }
  assert.equal(await onFileThread(() => Promise.resolve('read'), 10_000, late), 'read');
});
