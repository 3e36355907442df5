import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referenceDocuments } from '../../../scripts/reference/documents.ts';
import { words } from '../../../src/config/words.ts';
import { projectRoot } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';

test('the generated parts of the documents are what the code says (npm run docs writes them)', async () => {
  for (const { file, found, wanted } of await referenceDocuments(projectRoot))
    assert.ok(found === wanted, `${file} is stale: run npm run docs`);
});

/** Nobody needs them but who looks for a fault: they are in the reference alone. */
const FOR_TRIALS = ['DIRECT_IO'];

test('every word is in the README, with its default where its table has one', () => {
  const { text } = document('README.md');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  for (const { name, default: fallback } of words) {
    if (FOR_TRIALS.includes(name)) continue;
    assert.match(text, new RegExp(`\\b${name}\\b`), `the README does not name ${name}`);
    const [names = '', told = ''] =
      rows
        .find((row) => row.split('|')[1]?.includes(`\`${name}\``))
        ?.split('|')
        .slice(1) ?? [];
    // A row of several words has several defaults, or none.
    if (names.split(',').length > 1 || names === '' || fallback === undefined) continue;
    assert.ok(
      told.includes(`\`${fallback}\``),
      `the README gives ${told.trim()} as the default of ${name}, not ${fallback}`,
    );
  }
});
