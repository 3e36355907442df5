import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_WORDS, proseFaults, sentencesOf } from '../../../scripts/prose.ts';

const faultsOf = (text: string): readonly string[] => proseFaults({ name: 'page.md', text }).map(({ fault }) => fault);
const words = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

test('a sentence at the limit passes, one word more is a fault, also over the end of a line', () => {
  assert.deepEqual(faultsOf(`${words(MAX_WORDS)}.`), []);
  assert.match(faultsOf(`${words(MAX_WORDS)}\nword.`).join(), /41 words, at most 40/);
});

test('a phrase that makes a reader stop is a fault with what to write in its place', () => {
  assert.deepEqual(faultsOf('Whoever comes to it reads the end of it.'), [
    '"Whoever": name the person or program',
    '"comes to": say what happens',
    '"of it": repeat the noun',
  ]);
  assert.deepEqual(faultsOf('A bare word is the default.'), ['"bare word": say setting']);
});

test('cells of a table, items of a list and paragraphs are sentences of their own', () => {
  assert.deepEqual(
    sentencesOf('| a | b |\n| --- | --- |\n| one | two. Three |\n\n- four\n  five\n- six\n\nSeven. Eight'),
    ['a', 'b', 'one', 'two.', 'Three', 'four   five', 'six', 'Seven.', 'Eight'],
  );
});

test('code is no prose, and a link counts as its text', () => {
  assert.deepEqual(faultsOf('```text\nwhoever\n```\n\nSet `whoever`, [as here](whoever.md).\n<!-- whoever -->'), []);
  assert.match(faultsOf('Ask [whoever](page.md) knows.').join(), /whoever/);
});
