import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageText, bytesText } from '../../../src/admin/amounts.ts';
import { table } from '../../../src/admin/table.ts';
import { escapeInvisible, visible } from '../../../src/core/visible.ts';

test('columns are as wide as their widest cell, and no line ends in blanks', () => {
  const text = table(
    ['A', 'LONGER'],
    [
      ['1', ''],
      ['12345', 'x'],
    ],
  );
  assert.equal(text, 'A      LONGER\n1\n12345  x');
});

test('nothing in a cell is obeyed by a terminal, makes another line, or pushes the others far away', () => {
  const text = table(['A'], [['\u001b[2J\n\u009b31m'], ['y'.repeat(5_000)]]);
  assert.equal(text.split('\n').length, 3);
  assert.ok(text.startsWith('A\n\\u001b[2J\\u000a\\u009b31m\n'));
  assert.ok(text.length < 300);
});

for (const [bytes, text] of [
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [12_345_678, '12.3 MB'],
  [9e15, '9000.0 TB'],
] as const) {
  test(`${bytes} bytes are ${text}`, () => assert.equal(bytesText(bytes), text));
}

for (const [ms, text] of [
  [-5, '0s'],
  [999, '0s'],
  [61_000, '1m 1s'],
  [3_600_000, '1h 0m'],
  [90_061_000, '1d 1h'],
] as const) {
  test(`${ms} ms are ${text}`, () => assert.equal(ageText(ms), text));
}

test('escaping what cannot be seen leaves JSON the same JSON', () => {
  const value = { key: '\u001b\u007f\u009b\u2028\u202e\ufeff"\\ü😀' };
  const text = escapeInvisible(JSON.stringify(value));
  assert.match(text, /^[ -~ü😀]+$/u);
  assert.deepEqual(JSON.parse(text), value);
});

test('a cut leaves no half of a character', () => {
  assert.equal(visible('ab😀', 3), 'ab…');
});
