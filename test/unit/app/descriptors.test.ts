import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import {
  connectionsThatFit,
  descriptorLimit,
  descriptorsInUse,
  parseDescriptorLimit,
} from '../../../src/app/descriptors.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max processes             7823                 7823                 processes 
Max open files            1024                 524288               files     
Max locked memory         8388608              8388608              bytes     
`;

test('the limit of descriptors is the soft one', () => {
  assert.equal(parseDescriptorLimit(LIMITS), 1_024);
  assert.equal(parseDescriptorLimit(LIMITS.replace('1024  ', 'unlimited')), Infinity);
  assert.equal(parseDescriptorLimit(''), undefined);
  assert.equal(parseDescriptorLimit('Max open files many'), undefined);
});

test('the limit and the use of this process are what the kernel says', () => {
  const limit = descriptorLimit();
  assert.ok(limit === undefined || limit > readdirSync('/proc/self/fd').length - 1);
  const inUse = descriptorsInUse();
  assert.ok(inUse === undefined || inUse > 3);
});

test('two descriptors a connection fit below the limit, with a reserve, and there is room for one at least', () => {
  for (const limit of [64, 128, 1_024, 20_000, 1_048_576]) {
    const most = connectionsThatFit(limit, 3);
    assert.ok(2 * most + 40 + 3 <= limit, `${most} below ${limit}`);
    assert.ok(limit < 1_024 || 2 * most >= 0.85 * limit, `${most} below ${limit}`);
  }
  assert.equal(connectionsThatFit(16, 1), 1);
  assert.equal(connectionsThatFit(Infinity, 1), Infinity);
});
