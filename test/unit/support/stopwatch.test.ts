import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Stopwatch } from '../../support/stopwatch.ts';
import { eventually } from '../../support/wait.ts';

test('a stopwatch counts what its process works and waits by itself', async () => {
  const watch = new Stopwatch();
  const began = performance.now();
  while (performance.now() - began < 300);
  await pause(300);
  const passed = performance.now() - began;
  // What was lost before it `began` is left out, too.
  assert.ok(watch.ms() >= passed - watch.lostMs(), `${watch.ms()} of ${passed} ms`);
  assert.ok(watch.lostMs() < passed);
});

test('a stopwatch leaves out the time for which a process that can run has no core', async (t) => {
  await busy(t, 19);
  const watch = new Stopwatch();
  // They take the cores from the one that is less urgent.
  for (let i = 0; i < availableParallelism(); i += 1) await busy(t, 0);
  await eventually(() => watch.lostMs() > 1_000, 'a second is lost');
});

test('a stopwatch knows what a process had lost that has ended since', async (t) => {
  const worker = await busy(t, 19);
  const watch = new Stopwatch();
  for (let i = 0; i < availableParallelism(); i += 1) await busy(t, 0);
  await eventually(() => watch.lostMs() > 1_000, 'a second is lost');
  process.kill(worker, 'SIGKILL');
  await eventually(() => !exists(worker), 'it has ended');
  assert.ok(watch.lostMs() > 1_000);
});

/** A process that always works. @returns its pid */
async function busy(t: TestContext, nice: number): Promise<number> {
  const script = `os.setPriority(${nice}); console.log('on'); for (;;);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('no process was started');
  return child.pid;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
