import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { helpText } from '../../../../src/config/help.ts';
import { readVersion } from '../../../../src/config/version.ts';
import { flagOf, namesOf, readName, variableOfFlag, settings } from '../../../../src/config/table/settings.ts';

test('every default is a value of its setting', () => {
  for (const { name, kind, default: fallback } of settings) {
    if (fallback !== undefined) assert.ok(kind.parse(fallback).ok, name);
  }
});

test('no name, alias or spelling means two settings', () => {
  const names = settings.flatMap(({ name, aliases = [], spellings = [] }) => [name, ...aliases, ...spellings]);
  assert.equal(new Set(names).size, names.length);
});

test('every setting is found by its name, its aliases, its flag and its spellings', () => {
  for (const spec of settings) {
    for (const name of [spec.name, ...(spec.aliases ?? [])]) {
      const reading = readName(name);
      assert.ok(reading?.kind === 'setting', name);
      assert.equal(reading.spec, spec);
    }
    for (const flag of [...namesOf(spec).map(flagOf), ...(spec.spellings ?? [])])
      assert.equal(variableOfFlag(flag), spec.name);
  }
});

test('a per-service setting takes a suffix, a process-wide one does not', () => {
  for (const spec of settings) {
    const reading = readName(`${spec.name}_REDIS`);
    if (spec.scope === 'process') assert.equal(reading, undefined, spec.name);
    else assert.deepEqual(reading, { kind: 'suffixed', spec, suffix: 'REDIS', isPath: false });
  }
});

test('help shows every setting with its default and meaning', () => {
  const help = helpText();
  for (const { name, meaning, default: fallback } of settings) {
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

test('every setting has a field of its own, but for those that are read into others or retired', () => {
  const without = settings.filter(({ field }) => field === undefined).map(({ name }) => name);
  assert.deepEqual(without, ['LB', 'TLS_CERTPATH', 'SERVICES', 'SERVICES_FILE', 'DIRECT_IO']);
  for (const scope of ['service', 'process'] as const) {
    const fields = settings.filter((row) => row.scope === scope).flatMap(({ field }) => field ?? []);
    assert.equal(new Set(fields).size, fields.length);
  }
});
