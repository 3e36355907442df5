import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referenceDocuments } from '../../../scripts/reference/documents.ts';
import { settings } from '../../../src/config/table/settings.ts';
import { projectRoot } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';

test('the generated parts of the documents are what the code says (npm run docs writes them)', async () => {
  for (const { file, found, wanted } of await referenceDocuments(projectRoot))
    assert.ok(found === wanted, `${file} is stale: run npm run docs`);
});

test('every setting is in the README', () => {
  const { text } = document('README.md');
  for (const { name, retired } of settings) {
    // The reference alone has those.
    if (retired !== undefined) continue;
    assert.match(
      text,
      new RegExp(`\\b${name}\\b`),
      `the README does not name ${name}: add it to its table of purposes`,
    );
  }
});
