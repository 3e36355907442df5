import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../scripts/check-arrows.js', import.meta.url));

test('sources that keep to the arrows pass, and the modules are counted', (t) => {
  const { status, output } = checkArrows(t, {
    'src/core/value.ts': 'export const value = 1;\n',
    'src/config/reader.ts': "import { value } from '../core/value.ts';\nexport const read = value;\n",
  });
  assert.equal(status, 0, output);
  assert.match(output, /2 modules, 1 imports, no breach/);
});

test('core importing a room is refused by name', (t) => {
  const { status, output } = checkArrows(t, {
    'src/core/value.ts': "import { read } from '../config/reader.ts';\nexport const value = read;\n",
    'src/config/reader.ts': 'export const read = 1;\n',
  });
  assert.equal(status, 1, output);
  assert.match(output, /core-imports-what-the-page-says: src\/core\/value\.ts -> src\/config\/reader\.ts/);
});

test('a type-only import across rooms is refused too', (t) => {
  const { status, output } = checkArrows(t, {
    'src/transport/node/relay.ts': "import type { Words } from '../../config/reader.ts';\nexport type Relay = Words;\n",
    'src/config/reader.ts': 'export type Words = string;\n',
  });
  assert.equal(status, 1, output);
  assert.match(output, /transport-imports-what-the-page-says/);
});

test('a cycle is refused with its path', (t) => {
  const { status, output } = checkArrows(t, {
    'src/core/a.ts': "import { b } from './b.ts';\nexport const a = (): unknown => b;\n",
    'src/core/b.ts': "import { a } from './a.ts';\nexport const b = (): unknown => a;\n",
  });
  assert.equal(status, 1, output);
  assert.match(output, /no-cycles: src\/core\/a\.ts -> src\/core\/b\.ts -> src\/core\/a\.ts/);
});

test('an empty src is a failure, not a pass', (t) => {
  const { status, output } = checkArrows(t, {});
  assert.equal(status, 1, output);
  assert.match(output, /no source file found/);
});

test('a source file that the cruise did not read is a failure', (t) => {
  const { status, output } = checkArrows(t, {
    'src/core/value.ts': 'export const value = 1;\n',
    'src/core/hidden.ts': 'export const hidden = 1;\n',
    '.dependency-cruiser.cjs': "module.exports = { forbidden: [], options: { exclude: { path: 'hidden' } } };\n",
  });
  assert.equal(status, 1, output);
  assert.match(output, /not read: src\/core\/hidden\.ts/);
});

/** Runs the script in a folder of its own, holding the project's settings and `files`. */
function checkArrows(t: TestContext, files: Readonly<Record<string, string>>): { status: number; output: string } {
  const root = mkdtempSync(join(tmpdir(), 'attache-arrows-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) copyFileSync(name, join(root, name));
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  mkdirSync(join(root, 'src'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const run = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8', timeout: 60_000 });
  return { status: run.status ?? -1, output: `${run.stdout}${run.stderr}` };
}
