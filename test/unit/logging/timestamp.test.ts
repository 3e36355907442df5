import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timestamp } from '../../../src/logging/timestamp.ts';

test('the time of a line is that of Date, whatever was asked for before', () => {
  const moments = fc.array(fc.integer({ min: 0, max: Date.UTC(2100, 0) }), { minLength: 1 });
  fc.assert(
    fc.property(moments, (times) => {
      for (const now of times) {
        for (const near of [now, now + 1, now + 999]) {
          assert.equal(timestamp(near), `,"time":"${new Date(near).toISOString()}"`);
        }
      }
    }),
  );
});
