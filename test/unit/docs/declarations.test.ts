import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';

const dist = join(projectRoot, 'dist');

/** Beside the files that `index.ts` names: what the types of those are made from. */
const INNER: ReadonlySet<string> = new Set([
  // The members of AmbassadorOptions, generated.
  'config/option-types',
  'config/table/option-values',
  'core/on-change',
  // Functions beside a public type name these.
  'config/report',
  'config/table/kind',
]);

test('the declarations that an import of the library reads are those of public types, and of no package', () => {
  const { files, packages } = declarationsFrom('index');
  const named = new Set(importsOf(readFileSync(join(projectRoot, 'src/index.ts'), 'utf8')).map(nameIn(dist)));
  assert.ok(named.size > 20 && files.length > 20, 'files are found');
  const surplus = files.filter((file) => file !== 'index' && !named.has(file) && !INNER.has(file));
  assert.deepEqual(surplus, []);
  assert.deepEqual(
    [...INNER].filter((file) => !files.includes(file)),
    [],
    'what is not read need not be allowed',
  );
  // Neither etcd3, the AWS SDK nor pino: who has not installed them compiles.
  assert.deepEqual(packages, []);
});

/** Files that are read when one is: its imports, and theirs. */
function declarationsFrom(first: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const waiting = [first];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const path = join(dist, `${name}.d.ts`);
    assert.ok(existsSync(path), `${path}: build first`);
    for (const found of importsOf(readFileSync(path, 'utf8'))) {
      if (found.startsWith('.')) waiting.push(nameIn(dirname(path))(found));
      else packages.add(found);
    }
  }
  return { files: [...seen].sort(), packages: [...packages] };
}

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport\(?|types=)\s*['"]([^'"]+)['"]/g)].map(([, found = '']) => found);
}

/** The name of a file below `dist`, as a file of this folder imports it. */
function nameIn(folder: string): (found: string) => string {
  return (found) => relative(dist, resolve(folder, found)).replace(/[.][jt]s$/, '');
}
