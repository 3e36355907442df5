import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { writeDocument } from '../../../bench/report/document.ts';
import { writeResults } from '../../../bench/report/write.ts';
import { sampleResults } from './sample-results.ts';

const page = readFileSync('docs/performance.md', 'utf8');

test('the page shows every whole run, oldest Node first, and keeps the rest of it', (t) => {
  const { folder, document } = scratch(t);
  for (const node of ['24.1.0', '20.19.0']) writeResults(sampleResults({ node }), { folder, whole: true });
  writeDocument(document, folder);
  const text = readFileSync(document, 'utf8');
  assert.ok(text.indexOf('## Node 20.19.0') > 0 && text.indexOf('## Node 20.19.0') < text.indexOf('## Node 24.1.0'));
  assert.match(text, /bench\/results\/node20[.]cost[.]svg/);
  assert.equal(text.slice(0, text.indexOf('<!-- results')), page.slice(0, page.indexOf('<!-- results')));
  assert.match(text, /<!-- end of results -->\n$/);
});

test('writing the page again with the same runs changes nothing', (t) => {
  const { folder, document } = scratch(t);
  writeResults(sampleResults(), { folder, whole: true });
  writeDocument(document, folder);
  const once = readFileSync(document, 'utf8');
  writeDocument(document, folder);
  assert.equal(readFileSync(document, 'utf8'), once);
});

test('a part of a run has files of its own, and is not on the page', (t) => {
  const { folder, document } = scratch(t);
  const files = writeResults(sampleResults(), { folder, whole: false });
  assert.deepEqual(files, ['node24-small.json', 'node24-small.md', 'node24-small.cost.svg', 'node24-small.scale.svg']);
  writeDocument(document, folder);
  assert.match(readFileSync(document, 'utf8'), /No whole run is kept yet/);
});

test('a plot of an earlier run that this one has no figures for goes', (t) => {
  const { folder } = scratch(t);
  writeResults(sampleResults(), { folder, whole: true });
  writeResults(sampleResults({ rows: [] }), { folder, whole: true });
  assert.deepEqual(
    readdirSync(folder)
      .filter((name) => name.startsWith('node'))
      .sort(),
    ['node24.json', 'node24.md'],
  );
});

test('a page without its markers is left alone', (t) => {
  const { folder, document } = scratch(t);
  writeFileSync(document, 'no markers');
  assert.throws(() => writeDocument(document, folder), /<!-- results/);
  assert.equal(readFileSync(document, 'utf8'), 'no markers');
});

test('results that are no JSON are named', (t) => {
  const { folder, document } = scratch(t);
  writeFileSync(join(folder, 'node20.json'), '{');
  assert.throws(() => writeDocument(document, folder), /node20[.]json holds no results/);
});

function scratch(t: TestContext): { readonly folder: string; readonly document: string } {
  const folder = mkdtempSync(join(tmpdir(), 'attache-bench-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const document = join(folder, 'performance.md');
  writeFileSync(document, page);
  return { folder, document };
}
