import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratio, summarize } from '../../../bench/statistics.ts';

test('the median of an odd count is the middle, of an even count the mean of the two', () => {
  assert.equal(summarize([9, 1, 5])?.median, 5);
  assert.equal(summarize([9, 1, 5, 7])?.median, 6);
});

test('values are ordered as numbers', () => {
  assert.equal(summarize([100, 9, 20])?.median, 20);
});

test('spread is the range as a share of the median', () => {
  assert.deepEqual(summarize([8, 10, 13]), { median: 10, spread: 0.5, count: 3 });
  assert.equal(summarize([4])?.spread, 0);
});

test('a median of 0 has no spread', () => {
  assert.equal(summarize([0, 0, 3])?.spread, undefined);
});

test('without a finite value there is no summary, and others are left out', () => {
  assert.equal(summarize([]), undefined);
  assert.equal(summarize([NaN, Infinity]), undefined);
  assert.deepEqual(summarize([NaN, 3]), { median: 3, spread: 0, count: 1 });
});

test('a ratio needs both sides, and something to divide by', () => {
  assert.equal(ratio(summarize([3]), summarize([2])), 1.5);
  assert.equal(ratio(summarize([3]), summarize([0])), undefined);
  assert.equal(ratio(undefined, summarize([2])), undefined);
  assert.equal(ratio(summarize([2]), undefined), undefined);
});
