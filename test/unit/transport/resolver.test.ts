import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemResolver } from '../../../src/transport/resolver.ts';

test('localhost is looked up in the family asked for', async () => {
  const resolver = systemResolver();
  assert.deepEqual(await resolver.resolve('localhost', 4), ['127.0.0.1']);
});

test('an IP literal is its own answer', async () => {
  assert.deepEqual(await systemResolver().resolve('::1', 4), ['::1']);
});

test('promise 17: an answer is used again for less than 5 s, and asked for anew after that', async () => {
  let now = 0;
  const resolver = systemResolver(() => now);
  const first = resolver.resolve('localhost', 4);
  assert.equal(resolver.resolve('localhost', 4), first, 'asked once at a time');
  await first;
  now = 999;
  assert.equal(resolver.resolve('localhost', 4), first);
  now = 5_000;
  assert.notEqual(resolver.resolve('localhost', 4), first);
});

test('a failure is not remembered', async () => {
  const resolver = systemResolver();
  const failed = resolver.resolve('no-such-host.invalid', 4);
  await assert.rejects(failed);
  const again = resolver.resolve('no-such-host.invalid', 4);
  assert.notEqual(again, failed);
  await assert.rejects(again);
});
