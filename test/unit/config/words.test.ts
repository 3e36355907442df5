import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { helpText } from '../../../src/config/help.ts';
import { readVersion } from '../../../src/config/version.ts';
import { flagOf, readName, variableOfFlag, words } from '../../../src/config/words.ts';

test('every default is a value of its word', () => {
  for (const { name, kind, default: fallback } of words) {
    if (fallback !== undefined) assert.ok(kind.parse(fallback).ok, name);
  }
});

test('no name, alias or spelling means two words', () => {
  const names = words.flatMap(({ name, aliases = [], spellings = [] }) => [name, ...aliases, ...spellings]);
  assert.equal(new Set(names).size, names.length);
});

test('every word is found by its name, its aliases, its flag and its spellings', () => {
  for (const word of words) {
    for (const name of [word.name, ...(word.aliases ?? [])]) {
      const reading = readName(name);
      assert.ok(reading?.kind === 'word', name);
      assert.equal(reading.word, word);
    }
    for (const flag of [flagOf(word.name), ...(word.spellings ?? [])]) assert.equal(variableOfFlag(flag), word.name);
  }
});

test('a per-service word takes a suffix, a process-wide one does not', () => {
  for (const word of words) {
    const reading = readName(`${word.name}_REDIS`);
    if (word.scope === 'process') assert.equal(reading, undefined, word.name);
    else assert.deepEqual(reading, { kind: 'suffixed', word, suffix: 'REDIS' });
  }
});

test('help shows every word with its default and meaning', () => {
  const help = helpText();
  for (const { name, meaning, default: fallback } of words) {
    const row = help.split('\n').find((line) => line.startsWith(`  ${name} `));
    assert.ok(row, name);
    assert.ok(row.includes(meaning), name);
    if (fallback !== undefined) assert.ok(row.includes(`default ${fallback}`), name);
  }
  assert.match(help, /^Usage: attache/);
});

test('the version is that of package.json, wherever the program was built to', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(readVersion(), manifest.version);
});
