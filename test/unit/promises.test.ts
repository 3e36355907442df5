import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/attache.ts';
import { problemsOf, readPromises, testNames } from '../support/promises.ts';

const PROMISES = Array.from({ length: 57 }, (_, index) => index + 1);
const page = readFileSync(join(projectRoot, 'test', 'PROMISES.md'), 'utf8');

function readOfProject(path: string): string | undefined {
  const file = join(projectRoot, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

test('every promise from 1 to 57 is on the page, once and in order', () => {
  assert.deepEqual(
    readPromises(page).map(({ number }) => number),
    PROMISES,
  );
});

test('every part of every promise names tests that are there, and how each was seen failing', () => {
  assert.deepEqual(problemsOf(page, readOfProject), []);
});

const sample = `# Promises

## 1. A title

What is promised.

- A part.
  - test: \`test/a.test.ts\` \`a thing is so\`
  - broken: \`src/a.ts\`: left out
`;
const files: Readonly<Record<string, string>> = {
  'test/a.test.ts': "test('a thing is so', () => {});",
  'src/a.ts': '',
};
const readSample = (path: string) => files[path];

for (const [condition, text, problem] of [
  ['a page as it should be', sample, undefined],
  [
    'a test that was renamed',
    sample.replace('is so', 'was so'),
    '1, A part.: test/a.test.ts has no test "a thing was so"',
  ],
  ['a test file that is gone', sample.replace('test/a.test', 'test/b.test'), '1, A part.: there is no test/b.test.ts'],
  ['a source that is gone', sample.replace('src/a', 'src/b'), '1, A part.: there is no src/b.ts'],
  ['a part without a test', sample.replace(/ {2}- test: .*\n/, ''), '1, A part.: no test'],
  ['a part that was never seen failing', sample.replace(/ {2}- broken: .*\n/, ''), '1, A part.: not seen failing'],
  ['a promise without a part', sample.replace(/- A part[^]*/, ''), '1: no part of it is proved'],
] as const) {
  test(`${condition}: ${problem ?? 'nothing is said'}`, () => {
    assert.deepEqual(problemsOf(text, readSample), problem === undefined ? [] : [problem]);
  });
}

test('a line that is nearly of the form of the page is not passed over', () => {
  assert.throws(() => readPromises(sample.replace('- broken:', '- borken:')), /line 9 is not understood/);
});

test('names of tests are found however they are quoted, and a name that is only mentioned is none', () => {
  const source = [
    "test('plain', () => {});",
    'test("with \'quotes\'", () => {});',
    "test('with an \\' escaped', () => {});",
    "test(\n  'on a line of its own',\n  options, () => {});",
    "for (const x of y) test(`of ${x} and ${f({ a: 'b' })}`, () => {});",
    "test(`${a === 0 ? 'none' : `not ${b}`} nested`, () => {});",
    "// 'mentioned'",
    "assert.equal(x, 'compared');",
  ].join('\n');
  assert.deepEqual(testNames(source), [
    'plain',
    "with 'quotes'",
    "with an ' escaped",
    'on a line of its own',
    "of ${x} and ${f({ a: 'b' })}",
    "${a === 0 ? 'none' : `not ${b}`} nested",
  ]);
});
