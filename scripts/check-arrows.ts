/**
 * Checks who imports whom in `src`, `bench`, `scripts` and `test/support` of the current folder against its
 * `.dependency-cruiser.cjs`.
 * Exits 1 on a breach, and when any source file was not read: a cruise that saw nothing finds no breach either.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const folders = ['src', 'bench', 'scripts', 'test/support'].filter((folder) => existsSync(folder));
const files = (await Promise.all(folders.map(sourceFiles))).flat();
if (!files.some((file) => file.startsWith('src/'))) fail(['no source file found in src/']);

const result = await readImports();
const read = new Set(result.modules.map((module) => module.source));
const unread = files.filter((file) => !read.has(file));
const breaches = result.summary.violations.filter((violation) => violation.rule.severity === 'error');

if (unread.length > 0) fail(unread.map((file) => `not read: ${file}`));
if (breaches.length > 0) fail(breaches.map(describe));
console.log(`arrows: ${files.length} modules, ${result.summary.totalDependenciesCruised ?? 0} imports, no breach`);

async function readImports(): Promise<ICruiseResult> {
  const options = await extractDepcruiseOptions('./.dependency-cruiser.cjs');
  const report = await cruise([...folders], { ...options, outputType: 'json' }, undefined, {
    tsConfig: extractTSConfig('tsconfig.json'),
  });
  return typeof report.output === 'string' ? (JSON.parse(report.output) as ICruiseResult) : report.output;
}

async function sourceFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

function describe({ from, to, rule, cycle }: IViolation): string {
  const path = cycle === undefined ? to : cycle.map((step) => step.name).join(' -> ');
  return `${rule.name}: ${from} -> ${path}`;
}

function fail(lines: readonly string[]): never {
  for (const line of lines) console.error(`arrows: ${line}`);
  process.exit(1);
}
