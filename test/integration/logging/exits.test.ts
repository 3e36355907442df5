import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../support/logging-process.js', import.meta.url));
/** 200 kB and more: several times what a pipe holds. */
const LINES = 1_000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

function start(t: TestContext, mode: string, lines = LINES): Child {
  const child = spawn(process.execPath, [PROGRAM, mode, String(lines)], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function exitCode(child: Child): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
  return child.exitCode;
}

function numbersIn(output: string): number[] {
  return output
    .split('\n')
    .filter((line) => line.includes('"msg":"line"'))
    .map((line) => (JSON.parse(line) as { i: number }).i);
}

const all = Array.from({ length: LINES }, (_, i) => i);

for (const [mode, code] of [
  ['natural', 0],
  ['close', 0],
] as const) {
  test(`no line is lost when the process ends (${mode}), however late its log is read`, async (t) => {
    const child = start(t, mode);
    // Nobody reads before all was logged, which is more than fits into the pipe.
    await once(child.stderr, 'data');
    const output = text(child.stdout);
    assert.equal(await exitCode(child), code);
    assert.deepEqual(numbersIn(await output), all);
  });
}

test('no line is lost on SIGTERM', async (t) => {
  const child = start(t, 'sigterm');
  const output = text(child.stdout);
  await once(child.stderr, 'data');
  child.kill('SIGTERM');
  assert.equal(await exitCode(child), 0);
  assert.deepEqual(numbersIn(await output), all);
});

test('the last words of a process that crashes are read', async (t) => {
  const child = start(t, 'crash', 100);
  const output = await text(child.stdout);
  assert.equal(await exitCode(child), 70);
  assert.deepEqual(numbersIn(output), all.slice(0, 100));
  assert.match(output, /"level":"fatal".*"message":"on purpose".*"msg":"uncaught"/);
});

test('a reader that goes away (EPIPE) does not end the process', async (t) => {
  const child = start(t, 'on-and-on', 100);
  child.stdout.destroy();
  const said = await text(child.stderr);
  assert.equal(await exitCode(child), 0, said);
  assert.match(said, /alive/);
});

test('a reader that stops reading stops neither the process nor its end, and its memory stays bounded', async (t) => {
  const child = start(t, 'on-and-on', 5_000);
  const said = await text(child.stderr);
  assert.equal(await exitCode(child), 0);
  const rss = Number(/rss=(\d+)/.exec(said)?.[1]);
  // 25 MB of lines were logged; node alone takes 50.
  assert.ok(rss < 140 * 1_048_576, `${Math.round(rss / 1_048_576)} MB`);
  assert.match(said, /closed/);
});
