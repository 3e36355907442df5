import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialPolicy, parseCidr } from '../../../src/core/dial-policy.ts';

test('without a list everything but link-local may be dialed', () => {
  const policy = dialPolicy([]);
  for (const ip of ['10.0.0.1', '127.0.0.1', '::1', '2001:db8::1']) assert.equal(policy.permits(ip), true, ip);
  for (const ip of ['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1', 'not-an-ip']) {
    assert.equal(policy.permits(ip), false, ip);
  }
});

test('with a list only what it names may be dialed, link-local included when named', () => {
  const policy = dialPolicy(['10.0.0.0/8', 'fd00::/8', '169.254.1.1']);
  for (const ip of ['10.255.0.1', 'fd00::5', '169.254.1.1', '::ffff:10.1.1.1'])
    assert.equal(policy.permits(ip), true, ip);
  for (const ip of ['11.0.0.1', '169.254.1.2', '2001:db8::1', '127.0.0.1']) assert.equal(policy.permits(ip), false, ip);
});

for (const block of ['', 'x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129', '10.0.0/8', '10.0.0.0/-1']) {
  test(`"${block}" is refused as a CIDR block`, () => {
    assert.throws(() => parseCidr(block), RangeError);
  });
}
