import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../../support/attache.ts';

const script = fileURLToPath(new URL('../../../scripts/check-licences.js', import.meta.url));

test('the packages of this project have licences that are allowed', () => {
  const { status, output } = run(projectRoot);
  assert.equal(status, 0, output);
  assert.match(output, /licences: [1-9]\d* packages: .*MIT/);
});

test('a licence that is not on the list is refused, with the package named; one of development is not looked at', (t) => {
  const { status, output } = check(t, {
    'node_modules/a': { version: '1.0.0', license: 'MIT' },
    'node_modules/b': { version: '2.0.0', license: 'GPL-3.0-only' },
    'node_modules/c': { version: '3.0.0', license: 'AGPL-3.0-only', dev: true },
  });
  assert.equal(status, 1);
  assert.match(output, /node_modules\/b@2[.]0[.]0: GPL-3[.]0-only/);
  assert.doesNotMatch(output, /AGPL/);
});

test('an optional peer is in the image, so its licence is looked at, and those of what it depends on', (t) => {
  const { status, output } = check(t, {
    '': { name: 'project', peerDependencies: { peer: '1', '@types/node': '1' } },
    'node_modules/peer': { version: '1.0.0', license: 'MIT', dev: true, dependencies: { inner: '2', shared: '1' } },
    'node_modules/peer/node_modules/inner': { version: '2.0.0', license: 'GPL-2.0-only', dev: true },
    'node_modules/inner': { version: '1.0.0', license: 'AGPL-3.0-only', dev: true },
    'node_modules/shared': { version: '1.0.0', license: 'LGPL-3.0-only', dev: true },
    'node_modules/@types/node': { version: '1.0.0', license: 'UNLICENSED', dev: true },
  });
  assert.equal(status, 1);
  assert.match(output, /node_modules\/peer\/node_modules\/inner@2[.]0[.]0: GPL-2[.]0-only/);
  assert.match(output, /node_modules\/shared@1[.]0[.]0: LGPL-3[.]0-only/);
  assert.doesNotMatch(output, /AGPL|UNLICENSED/);
});

test('what is installed counts, not what the lock file says of it', (t) => {
  const { status, output } = check(
    t,
    { 'node_modules/a': { version: '1.0.0', license: 'MIT' } },
    { 'node_modules/a/package.json': { license: 'UNLICENSED' } },
  );
  assert.equal(status, 1);
  assert.match(output, /UNLICENSED/);
});

const expressions: readonly (readonly [licence: string | undefined, allowed: boolean])[] = [
  ['(MIT OR GPL-2.0-only)', true],
  ['MIT AND ISC', true],
  ['MIT AND GPL-2.0-only', false],
  ['(MIT AND (ISC OR GPL-2.0-only))', false],
  ['', false],
  [undefined, false],
  ['SEE LICENSE IN file', false],
];
for (const [license, allowed] of expressions) {
  test(`the licence ${license === undefined ? 'that is missing' : `"${license}"`} is ${allowed ? 'allowed' : 'refused'}`, (t) => {
    assert.equal(check(t, { 'node_modules/a': { version: '1.0.0', license } }).status, allowed ? 0 : 1);
  });
}

test('a lock file without packages is a failure, not a pass', (t) => {
  assert.equal(check(t, {}).status, 1);
});

function check(t: TestContext, packages: object, files: Readonly<Record<string, object>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'attache-licences-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const lock = { 'package-lock.json': { packages: { '': { name: 'project' }, ...packages } } };
  for (const [name, content] of Object.entries({ ...lock, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(content));
  }
  return run(folder);
}

function run(cwd: string): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd, encoding: 'utf8', timeout: 20_000 });
  return { status, output: stdout + stderr };
}
