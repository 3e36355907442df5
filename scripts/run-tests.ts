/**
 * Runs the compiled test files of the named suites (folders of `test/`; default: unit and integration), or single
 * files, with node:test. The list comes from the sources, so that a stale file in `build/` is never run.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FILE_DEADLINE_VARIABLE } from './test-deadline.ts';

/** One test without a `timeout` of its own. */
const TEST_LIMIT_MS = 120_000;
const FILE_LIMIT_MS = 300_000;

const wanted = process.argv.slice(2);
const files = (wanted.length > 0 ? wanted : ['unit', 'integration']).flatMap(testFiles);
if (files.length === 0) {
  console.error(`no test file found in ${wanted.join(', ')}`);
  process.exit(1);
}
const run = spawnSync(process.execPath, [...testFlags(), ...files], {
  stdio: 'inherit',
  env: { ...process.env, [FILE_DEADLINE_VARIABLE]: `${FILE_LIMIT_MS}` },
});
process.exit(run.status ?? 1);

function testFlags(): readonly string[] {
  return [
    '--test',
    '--test-reporter=spec',
    // Files mostly wait for servers: two at a time also on one core, no more than the cores for the sake of timing.
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    '--enable-source-maps',
    `--import=${new URL('./test-deadline.js', import.meta.url).href}`,
    ...perTestLimit(),
  ];
}

/** Before Node 24 this flag limits whole files instead of single tests: there the deadline of the file has to do. */
function perTestLimit(): readonly string[] {
  return Number.parseInt(process.versions.node, 10) >= 24 ? [`--test-timeout=${TEST_LIMIT_MS}`] : [];
}

function testFiles(suite: string): readonly string[] {
  const path = suite.startsWith('test/') ? suite : join('test', suite);
  const sources = statSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
    : [path];
  return sources
    .filter((file) => file.endsWith('.test.ts'))
    .map(compiled)
    .sort();
}

function compiled(source: string): string {
  return fileURLToPath(new URL(`../${source.replace(/[.]ts$/, '.js')}`, import.meta.url));
}
