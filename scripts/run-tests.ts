/**
 * Runs the compiled test files of the named suites (folders of `test/`; default: unit and integration; `core`: everything that
 * moves bytes; `engine`: what of it an engine carries), or single files, with node:test. The list comes from the sources, so that a stale file in `build/` is never run.
 * Those of the timed suite run behind the others, with less beside them, and those of the quiet suite last.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { coreSuite, engineSuite } from './core-suite.ts';
import { quietSuite, timedSuite } from './quiet-suite.ts';
import { FILE_DEADLINE_VARIABLE } from './test-deadline.ts';

/** One test without a `timeout` of its own. */
const TEST_LIMIT_MS = 120_000;
const FILE_LIMIT_MS = 600_000;

const wanted = process.argv.slice(2);
const files = (wanted.length > 0 ? wanted : ['unit', 'integration']).flatMap(testFiles);
if (files.length === 0) {
  console.error(`no test file found in ${wanted.join(', ')}`);
  process.exit(1);
}
const quiet = new Set(quietSuite.map(compiled));
const timed = new Set(timedSuite.map(compiled));
const cores = Math.max(2, availableParallelism());
const statuses = [
  // They mostly wait for servers.
  run(
    files.filter((file) => !quiet.has(file) && !timed.has(file)),
    3 * cores,
  ),
  run(
    files.filter((file) => timed.has(file)),
    cores,
  ),
  run(
    files.filter((file) => quiet.has(file)),
    cores,
  ),
];
process.exit(Math.max(...statuses));

/** @returns the exit code of node:test; 0 without a file */
function run(stage: readonly string[], atOnce: number): number {
  if (stage.length === 0) return 0;
  const { status } = spawnSync(process.execPath, [...testFlags(atOnce), ...stage], {
    stdio: 'inherit',
    env: { ...process.env, [FILE_DEADLINE_VARIABLE]: `${FILE_LIMIT_MS}` },
  });
  return status ?? 1;
}

function testFlags(atOnce: number): readonly string[] {
  return [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${atOnce}`,
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
  if (suite === 'core') return coreSuite.flatMap(testFiles).sort();
  if (suite === 'engine') return engineSuite.flatMap(testFiles).sort();
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
