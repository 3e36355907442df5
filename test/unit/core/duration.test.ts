import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../../../src/core/duration.ts';

for (const [text, ms] of [
  ['0', 0],
  ['500ms', 500],
  ['5s', 5_000],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['0s', 0],
] as const) {
  test(`"${text}" is ${ms} ms`, () => {
    assert.deepEqual(parseDuration(text), { ok: true, ms });
  });
}

for (const [text, reason] of [
  ['30', /30s or 30ms\?/],
  ['', /such as/],
  ['-5s', /such as/],
  ['1.5s', /such as/],
  ['5 s', /such as/],
  ['5d', /such as/],
  ['Infinity', /such as/],
  ['600h', /24 days/],
  ['99999999999999999999h', /24 days/],
] as const) {
  test(`"${text}" is refused as a duration`, () => {
    const parsed = parseDuration(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, reason);
  });
}

test('formatting is the inverse of parsing', () => {
  for (const ms of [0, 1, 999, 1_000, 90_000, 3_600_000, 86_461_001]) {
    assert.deepEqual(parseDuration(formatDuration(ms)), { ok: true, ms });
  }
});
