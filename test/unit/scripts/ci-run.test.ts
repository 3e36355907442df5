import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';
import { endWithProcess } from '../../support/end-with.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { eventually } from '../../support/wait.ts';

// A run within a test of node:test would report to that test.
const env = { ...process.env, NODE_TEST_CONTEXT: undefined, BUILT: undefined };

/** A project with a copy of `.ci/run` whose suites are the given file. @returns its folder */
async function ciProject(t: TestContext, suite: string): Promise<string> {
  const folder = await scratchFolder(t);
  for (const name of ['.ci', 'node_modules', 'scripts']) mkdirSync(join(folder, name));
  cpSync(join(projectRoot, '.ci/run'), join(folder, '.ci/run'));
  writeFileSync(join(folder, 'suite.test.mjs'), suite);
  const run = 'node --test --test-reporter=spec suite.test.mjs; true';
  const scripts = { 'test:browser': run, 'test:kubernetes': run, check: 'echo a fault of style; exit 1' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a', private: true, scripts }));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ name: 'a', lockfileVersion: 3, packages: {} }));
  writeFileSync(join(folder, 'scripts/build-tests'), '#!/bin/sh\n', { mode: 0o755 });
  return folder;
}

/** Runs phases in such a project, by default `browser`. */
async function ciRun(
  t: TestContext,
  suite: string,
  phases: readonly string[] = ['browser'],
): Promise<{ readonly status: number | null; readonly output: string }> {
  const { status, stdout } = spawnSync('bash', ['.ci/run', ...phases], {
    cwd: await ciProject(t, suite),
    encoding: 'utf8',
    timeout: 60_000,
    env,
  });
  return { status, output: stdout };
}

test('.ci/run tells every failed test again at its end, and fails', async (t) => {
  const { status, output } = await ciRun(
    t,
    `import { test } from 'node:test';
test('first', () => { throw new Error('its cause') });
test('second', () => {});
test('third', () => { throw new Error('another cause') });`,
  );
  assert.equal(status, 1, output);
  const [, end = ''] = output.split('===== failed in: test:browser');
  assert.match(end, /✖ first .*its cause.*✖ third .*another cause/s);
  assert.doesNotMatch(end, /second/);
  assert.match(end, /\n1 passed, 2 failed\n$/);
});

test('.ci/run tells of no failed test when none failed', async (t) => {
  const { status, output } = await ciRun(t, `import { test } from 'node:test'; test('first', () => {});`);
  assert.equal(status, 0, output);
  assert.doesNotMatch(output, /failed in/);
  assert.match(output, /\n1 passed, 0 failed\n$/);
});

test('.ci/run compiles once: later phases are told that it is done', async (t) => {
  const suite = `import { test } from 'node:test'; test('built: ' + process.env.BUILT, () => {});`;
  const { status, output } = await ciRun(t, suite, ['browser', 'kubernetes']);
  assert.equal(status, 0, output);
  assert.deepEqual(
    [...output.matchAll(/✔ built: (\w+)/g)].map(([, built]) => built),
    ['undefined', '1'],
  );
});

test('.ci/run native runs beside the phases behind it, where all is compiled, and is told behind them', async (t) => {
  // Each waits for the other.
  const meets = (one: string, other: string) => `import { test } from 'node:test';
import { existsSync, writeFileSync } from 'node:fs';
test('${one} meets ${other}', { timeout: 30_000 }, async () => {
  writeFileSync('${one}', '');
  while (!existsSync('${other}')) await new Promise((resolve) => setTimeout(resolve, 20));
});`;
  const folder = await ciProject(t, meets('browser', 'native'));
  writeFileSync(
    join(folder, 'native.test.mjs'),
    `${meets('native', 'browser')}\ntest('fails', () => { throw new Error('x') });`,
  );
  const script = '#!/bin/sh\nexec node --test --test-reporter=spec native.test.mjs\n';
  writeFileSync(join(folder, 'scripts/check-native'), script, { mode: 0o755 });
  const { status, stdout } = spawnSync('bash', ['.ci/run', 'native', 'browser'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...env, BUILT: '1' },
  });
  assert.equal(status, 1, stdout);
  assert.match(stdout, /===== test:browser: exit code 0.*\n===== the native engine with sanitizers: exit code 1/s);
  assert.match(stdout, /failed in: the native engine with sanitizers.*✖ fails.*\n2 passed, 1 failed\n$/s);
});

test('.ci/run check fails as its check does', async (t) => {
  const { status, output } = await ciRun(t, '', ['check']);
  assert.equal(status, 1, output);
  assert.match(output, /a fault of style.*\n0 passed, 1 failed\n$/s);
});

test('.ci/run that is ended ends its phase', { timeout: 60_000 }, async (t) => {
  const suite = `import { writeFileSync } from 'node:fs';
writeFileSync('pid', String(process.pid));
setInterval(() => {}, 1000);`;
  const folder = await ciProject(t, suite);
  const run = spawn('bash', ['.ci/run', 'browser'], { cwd: folder, env, stdio: 'ignore' });
  endWithProcess(run);
  const file = join(folder, 'pid');
  await eventually(() => existsSync(file) && readFileSync(file, 'utf8') !== '', 'the phase runs', 30_000);
  const pid = Number(readFileSync(file, 'utf8'));
  const isAlive = () => existsSync(`/proc/${pid}`);
  t.after(() => isAlive() && process.kill(pid, 'SIGKILL'));
  const ended = once(run, 'exit');
  run.kill('SIGTERM');
  await ended;
  await eventually(() => !isAlive(), 'it has ended');
});
