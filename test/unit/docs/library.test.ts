import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unnamedTypes } from '../../../scripts/reference/library.ts';
import * as library from '../../../src/index.ts';
import { projectRoot } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';

const reference = document('docs/library.md').text.split('## Reference')[1] ?? '';

test('the page lists as functions, values and classes what a program can import, and nothing else', () => {
  const [values = ''] = reference.split('### Types');
  const listed = [...values.matchAll(/^#### `(.+)`$/gm)].map(([, name = '']) => name);
  assert.deepEqual(listed.sort(), Object.keys(library).sort());
});

test('every type in a public signature can be imported by its name', () => {
  assert.deepEqual(unnamedTypes(projectRoot), []);
});

test('every entry of the reference has a meaning', () => {
  const [, ...entries] = reference.split(/^#### /m);
  const names = entries.filter((entry) => !hasMeaning(entry)).map((entry) => entry.split('\n')[0]);
  assert.ok(entries.length > 80, 'the reference has entries');
  assert.deepEqual(names, []);
});

test('every event of the reference shows the type that tells it from the others', () => {
  const [, ...entries] = reference.split(/^#### /m);
  const events = entries.filter((entry) => /^`(?!Attache)\w+Event`/.test(entry));
  const types = events.map((entry) => /^`type: '([a-z-]+)'`$/m.exec(entry)?.[1]);
  assert.ok(types.length > 20, 'the reference has events');
  assert.equal(new Set(types).size, types.length);
  assert.ok(!types.includes(undefined));
});

test('every member of the reference has a meaning', () => {
  const rows = reference.split('\n').filter((line) => line.startsWith('| `'));
  assert.ok(rows.length > 100, 'the reference has rows');
  const empty = rows.filter((row) => /\|\s*\|$/.test(row.replaceAll('\\|', '')));
  assert.deepEqual(empty, []);
});

/** Whether a paragraph of an entry is a sentence: not its heading, its signature, a line of code or its table. */
function hasMeaning(entry: string): boolean {
  const [, ...lines] =
    entry
      .replaceAll(/^```ts$[\s\S]*?^```$/gm, '')
      .split(/^#/m)[0]
      ?.split('\n') ?? [];
  return lines.some((line) => line.trim() !== '' && !line.startsWith('|') && !/^`[^`]*`$/.test(line));
}
