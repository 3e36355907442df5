import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { locateJsonFault } from '../../../src/config/gather/json-fault.ts';
import { isOneEdit, isSwap, nearest } from '../../../src/config/gather/nearest.ts';
import { quote, quoteName } from '../../../src/config/quote.ts';
import { readSmallFile } from '../../../src/config/gather/small-file.ts';

for (const [text, place] of [
  ['', 'line 1, column 1'],
  ['nope', 'line 1, column 1'],
  ['[', 'line 1, column 2'],
  ['[1,]', 'line 1, column 4'],
  ['[1 2]', 'line 1, column 4'],
  ['{"a":1,}', 'line 1, column 8'],
  ['{"a" 1}', 'line 1, column 6'],
  ['{a:1}', 'line 1, column 2'],
  ['{"a":}', 'line 1, column 6'],
  ['[1}', 'line 1, column 3'],
  ['[] []', 'line 1, column 4'],
  ['[\n  "a",\n  \'b\'\n]', 'line 3, column 3'],
  ['["a\tb"]', 'line 1, column 2'],
  ['["\\x"]', 'line 1, column 2'],
  ['[01]', 'line 1, column 3'],
  ['[true, false, null, -1.5e+3, {"k": []}, {}', 'line 1, column 43'],
] as const) {
  test(`JSON ${JSON.stringify(text)} ends to be JSON at ${place}`, () => {
    assert.throws(() => JSON.parse(text));
    assert.equal(locateJsonFault(text), place);
  });
}

test('a fault is located in JSON that is long and deep', () => {
  const text = `${'['.repeat(100_000)}"${'x'.repeat(900_000)}"`;
  assert.equal(locateJsonFault(text), `line 1, column ${text.length + 1}`);
});

test('one edit is one character added, dropped or replaced, or two swapped', () => {
  for (const other of ['LEVLE', 'LEVE', 'LEVELS', 'LEVEN', 'XLEVEL']) assert.ok(isOneEdit('LEVEL', other), other);
  for (const other of ['LEVEL', 'LEV', 'LELVE', 'LEVELSS', 'BEVEN', '']) assert.ok(!isOneEdit('LEVEL', other), other);
  assert.ok(isSwap('SVR', 'SRV') && isSwap('LB', 'BL'));
  assert.ok(!isSwap('SRV', 'SRV') && !isSwap('SRV', 'SRC') && !isSwap('SRV', 'VRS') && !isSwap('AAB', 'AA'));
});

test('the nearest name is found when it is near enough to be meant', () => {
  assert.equal(nearest('redsi', ['pg', 'redis', 'radish']), 'redis');
  assert.equal(nearest('pq', ['pg', 'redis']), 'pg');
  assert.equal(nearest('mysql', ['pg', 'redis']), undefined);
  assert.equal(nearest('conect-timeuot', ['connect-timeout']), 'connect-timeout');
});

test('a value is shown escaped, cut, and without credentials', () => {
  assert.equal(quote(''), 'an empty value');
  assert.equal(quote('a"b\n\u0000\u2028\ud800'), '"a\\"b\\n\\u0000\\u2028\\ud800"');
  assert.equal(quote('https://user:hunter2@host'), '"***@host"');
  assert.equal(quote(`${'x'.repeat(76)}😀${'y'.repeat(9)}`), `"${'x'.repeat(76)}..."`);
  assert.equal(quoteName('SERVICES[0].src'), 'SERVICES[0].src');
  assert.equal(quoteName('A\nB'), '"A\\nB"');
});

test('a file is read whole up to 1 MiB, and refused beyond', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'attache-config-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'services.json');
  writeFileSync(file, 'é'.repeat(524_288));
  assert.equal(readSmallFile(file).length, 524_288);
  writeFileSync(file, 'x'.repeat(1_048_577));
  assert.throws(() => readSmallFile(file), { code: 'EFBIG' });
  assert.throws(() => readSmallFile('/dev/zero'), { code: 'EFTYPE' });
  assert.throws(() => readSmallFile(folder), { code: 'EFTYPE' });
  assert.throws(() => readSmallFile(join(folder, 'gone')), { code: 'ENOENT' });
});
