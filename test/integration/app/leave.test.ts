import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '../../support/scratch.ts';

const PROGRAM = fileURLToPath(new URL('../../support/held-process.js', import.meta.url));

/** @returns its exit code, or the signal that ended it */
async function leaveOver(t: TestContext, path: string): Promise<number | string> {
  const child = spawn(process.execPath, [PROGRAM, path], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
  const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  return code ?? signal ?? '';
}

test('a thread that a file system holds does not hold the exit, and the exit code is kept where Node can', async (t) => {
  const fifo = join(await scratchFolder(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  assert.equal(await leaveOver(t, fifo), 'execve' in process ? 3 : 'SIGKILL');
});

test('a thread that is soon done is waited for', async (t) => {
  const file = join(await scratchFolder(t), 'file');
  writeFileSync(file, '');
  assert.equal(await leaveOver(t, file), 3);
});
