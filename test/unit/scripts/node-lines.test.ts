import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { coreSuite } from '../../../scripts/core-suite.ts';
import { quietSuite, timedSuite } from '../../../scripts/quiet-suite.ts';
import { projectRoot } from '../../support/attache.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const page = read('docs/node-versions.md');

interface Line {
  readonly line: string;
  readonly newest: string;
  readonly isWhole: boolean;
}

/** The rows of the table. */
const lines: readonly Line[] = [...page.matchAll(/^\| (\d+) +\| ([\d.]+) +\| (everything|the core)\b/gm)].map(
  ([, line = '', newest = '', what]) => ({ line, newest, isWhole: what === 'everything' }),
);

test('the table of Node versions has a row for every supported line, each with a release of that line', () => {
  assert.deepEqual(
    lines.map(({ line }) => line),
    ['20', '22', '24', '26'],
  );
  for (const { line, newest } of lines) assert.match(newest, new RegExp(`^${line}\\.\\d+\\.\\d+$`));
});

test('engines names the lines of the table', () => {
  const lockfile = JSON.parse(read('package-lock.json')) as { packages: { '': { engines: { node: string } } } };
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  assert.equal(lockfile.packages[''].engines.node, engines.node);
  assert.deepEqual(
    engines.node.split(' || ').map((range) => /^\^(\d+)\./.exec(range)?.[1]),
    lines.map(({ line }) => line),
  );
});

test('the workflow runs on each line of the table what the table says', () => {
  const workflow = parse(read('.github/workflows/test.yml')) as {
    jobs: { test: { strategy: { matrix: { include: readonly { node: string; suite: string }[] } } } };
  };
  assert.deepEqual(
    workflow.jobs.test.strategy.matrix.include,
    lines.map(({ line, isWhole }) => ({ node: line, suite: isWhole ? 'whole' : 'core' })),
  );
});

test('the workflow runs phases of .ci/run and nothing else, and every phase', () => {
  const workflow = parse(read('.github/workflows/test.yml')) as {
    jobs: Readonly<Record<string, { steps: readonly { run?: string }[] }>>;
  };
  const [, names = ''] = /^readonly phases=\(([a-z ]+)\)$/m.exec(read('.ci/run')) ?? [];
  const commands = Object.values(workflow.jobs)
    .flatMap(({ steps }) => steps)
    .map(({ run = '' }) => run)
    .filter((run) => run !== '' && run !== 'npm ci' && !run.includes('scripts/setup-tests'));
  for (const command of commands) assert.match(command, /(^| )[.]ci\/run /);
  const ran = commands.flatMap((command) =>
    command
      .replace(/^.*[.]ci\/run /, '')
      .replace('"$SUITE"', 'whole core')
      .split(' '),
  );
  // The lines are the matrix.
  assert.deepEqual(new Set([...ran, 'lines']), new Set(names.split(' ')));
});

test('.ci/run fetches each line of the table, and runs at least what the table says', () => {
  const [, whole = '', core = ''] = /whole_lines=\(([\d ]*)\) core_lines=\(([\d ]*)\)/.exec(read('.ci/run')) ?? [];
  const [wholeLines, coreLines] = [whole.split(' '), core.split(' ')];
  assert.deepEqual(
    [...wholeLines, ...coreLines].sort(),
    lines.map(({ line }) => line),
  );
  for (const line of wholeLines) assert.equal(lines.find((one) => one.line === line)?.isWhole, true, line);
  const [, typescript = ''] = /typescript_lines=\(([\d ]*)\)/.exec(read('.ci/run')) ?? [];
  assert.deepEqual(typescript.split(' '), [coreLines[0], coreLines.at(-1)], 'the page says so');
});

test('the image is built on the release that the table and the page name', () => {
  const [, pinned = ''] = /^ARG NODE_IMAGE=node:(\d+\.\d+\.\d+)-/m.exec(read('Dockerfile')) ?? [];
  assert.equal(lines.find(({ line }) => line === pinned.split('.')[0])?.newest, pinned);
  assert.ok(page.includes(`The image holds Node ${pinned}:`));
});

for (const [name, suite] of Object.entries({ core: coreSuite, timed: timedSuite, quiet: quietSuite })) {
  test(`the ${name} suite names what is there, and each once`, () => {
    for (const path of suite) assert.ok(existsSync(join(projectRoot, path)), path);
    assert.equal(new Set(suite).size, suite.length);
  });
}

test('a file that promises a time of less than five seconds is in the timed or the quiet suite', () => {
  const known = new Set([...timedSuite, ...quietSuite]);
  const files = ['test/unit', 'test/integration'].flatMap((suite) =>
    readdirSync(join(projectRoot, suite), { recursive: true, encoding: 'utf8' }).map((name) => join(suite, name)),
  );
  const promises = files
    .filter((file) => file.endsWith('.test.ts') && !known.has(file))
    .flatMap((file) =>
      [...read(file).matchAll(/(?:now\(\) - \w+|\b(?:\w+Ms|took)|[mM]s\(\)) < ([\d_]+)/g)]
        .filter(([, bound = '']) => Number(bound.replaceAll('_', '')) < 5_000)
        .map(([text]) => `${file}: ${text}`),
    );
  assert.deepEqual(promises, []);
});
