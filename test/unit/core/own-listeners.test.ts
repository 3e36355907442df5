import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '../../../src/core/address.ts';
import { ownListeners } from '../../../src/core/own-listeners.ts';

const tcp = (host: string, port: number): Address => ({ kind: 'tcp', host, port });
const localIps = () => ['10.0.0.5', 'fe80::5%eth0', '2001:db8::5'];

test('a listener on one address is that address, in any spelling, and no other', () => {
  const own = ownListeners({ configured: [tcp('127.0.0.1', 29092), tcp('::1', 1)], bound: () => [], localIps });
  assert.ok(own.has('127.0.0.1', 29092));
  assert.ok(own.has('::ffff:7f00:1', 29092));
  assert.ok(own.has('0:0:0:0:0:0:0:1', 1));
  for (const ip of ['127.0.0.2', '10.0.0.5', '::1']) assert.ok(!own.has(ip, 29092), ip);
  assert.ok(!own.has('127.0.0.1', 29091));
});

for (const host of ['', '0.0.0.0', '::', 'some-name']) {
  test(`a listener on "${host}" is every address of this machine, and none elsewhere`, () => {
    const own = ownListeners({ configured: [tcp(host, 6379)], bound: () => [], localIps });
    for (const ip of ['127.0.0.1', '127.9.9.9', '::1', '10.0.0.5', '::ffff:10.0.0.5', 'fe80::5', '2001:db8:0::5'])
      assert.ok(own.has(ip, 6379), ip);
    for (const ip of ['10.0.0.6', '2001:db8::6']) assert.ok(!own.has(ip, 6379), ip);
    assert.ok(!own.has('127.0.0.1', 6380));
  });
}

test('localhost is loopback alone', () => {
  const own = ownListeners({ configured: [tcp('localhost', 1)], bound: () => [], localIps });
  assert.deepEqual(
    ['127.0.0.1', '::1', '10.0.0.5'].map((ip) => own.has(ip, 1)),
    [true, true, false],
  );
});

test('a port that the system picked is ours from when it is bound until it is not', () => {
  let bound: readonly Address[] = [];
  const own = ownListeners({ configured: [tcp('', 0)], bound: () => bound, localIps });
  assert.ok(!own.has('127.0.0.1', 40_000));
  bound = [tcp('', 40_000), { kind: 'unix', path: '/x' }];
  assert.ok(own.has('127.0.0.1', 40_000) && own.has('10.0.0.5', 40_000));
  bound = [];
  assert.ok(!own.has('127.0.0.1', 40_000));
});

test('addresses of this machine are asked for only when a port is ours, and not at every dial', () => {
  let asked = 0;
  const count = () => {
    asked += 1;
    return localIps();
  };
  const own = ownListeners({
    configured: [tcp('', 6379)],
    bound: () => assert.fail('no port was picked'),
    localIps: count,
  });
  for (let i = 0; i < 1_000; i += 1) own.has('10.0.0.9', 6380);
  assert.equal(asked, 0);
  for (let i = 0; i < 1_000; i += 1) own.has('10.0.0.9', 6379);
  assert.deepEqual([1, 2].includes(asked), true);
});
