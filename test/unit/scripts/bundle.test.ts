import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { mainFile } from '../../support/attache.ts';

const dist = dirname(mainFile);

function textOf(file: string): string {
  return readFileSync(join(dist, file), 'utf8');
}

/** The files of the program that are loaded before the first line of this one runs, and itself. */
function loadedWith(file: string): readonly string[] {
  const names = [...textOf(file).matchAll(/^(?:import|export) (?:[^;"]* from )?"([.][^"]+)";$/gm)];
  return [file, ...names.flatMap(([, name = '']) => loadedWith(join(dirname(file), name)))];
}

test('all that a start loads of the program is in one file, behind a first one that hears signals', () => {
  assert.deepEqual(loadedWith('main.js'), ['main.js'], 'nothing before signals are heard');
  const imported = [...textOf('main.js').matchAll(/import\("[.]\/([^"]+)"\)/g)].map(([, name]) => name);
  assert.deepEqual(imported, ['app/program.js']);
  assert.deepEqual(loadedWith('app/program.js'), ['app/program.js', 'attache.js']);
});

test('the library is that file, too', () => {
  assert.deepEqual(loadedWith('index.js'), ['index.js', 'attache.js']);
});

test('its source map leads to the lines of the sources', () => {
  const text = 'no answer within HEALTH_TIMEOUT';
  const lines = textOf('attache.js').split('\n');
  const line = lines.findIndex((found) => found.includes(text));
  const map = new SourceMap(JSON.parse(textOf('attache.js.map')) as SourceMapPayload);
  const entry = map.findEntry(line, lines[line]?.indexOf(text) ?? 0);
  assert.ok('originalSource' in entry);
  const source = join(dist, entry.originalSource);
  assert.ok(existsSync(source), source);
  assert.ok(readFileSync(source, 'utf8').split('\n')[entry.originalLine]?.includes(text));
});
