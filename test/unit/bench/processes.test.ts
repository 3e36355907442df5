import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { processesOf } from '../../../bench/process-usage.ts';
import { Processes } from '../../../bench/processes.ts';
import { eventually } from '../../support/wait.ts';

test('what a process has forked goes with it', async (t) => {
  const { processes, output } = scratch(t);
  await processes.start({ program: 'sh', args: ['-c', 'sleep 1000 & echo $!; wait'], output });
  const child = Number(await written(output));
  await processes.stop();
  await gone(child);
});

test('a process that does not heed SIGTERM is killed', async (t) => {
  const { processes, output } = scratch(t);
  const { pid, exited } = await processes.start({
    program: 'sh',
    args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'],
    output,
  });
  await written(output);
  await processes.stop();
  assert.equal(await exited, undefined);
  await gone(pid);
});

test('what a process has put into a session of its own is ended after it', async (t) => {
  const { processes, output } = scratch(t);
  const folder = dirname(output);
  // In its session and its folder, as Patroni starts PostgreSQL.
  const line = `cd ${folder}/inner && setsid sleep 1000 & echo done; wait`;
  mkdirSync(join(folder, 'inner'));
  const part = processes.part();
  await part.start({ program: 'sh', args: ['-c', line], output });
  await written(output);
  const sleeper = () => processesOf(join(folder, 'inner')).find((one) => commandOf(one).startsWith('sleep')) ?? 0;
  await eventually(() => sleeper() > 0, 'it has begun in its session');
  const pid = sleeper();
  part.endAlso(() => processesOf(join(folder, 'inner')));
  await processes.stop();
  await gone(pid);
  assert.deepEqual(processesOf(join(folder, 'inner')), []);
});

test('the parts of a set end with it', async (t) => {
  const { processes, output } = scratch(t);
  const { pid } = await processes
    .part()
    .part()
    .start({ program: 'sleep', args: ['1000'], output });
  await processes.stop();
  await processes.stop();
  await gone(pid);
});

test('a process that is started while all are being ended is ended too', async (t) => {
  const { processes, output } = scratch(t);
  const starting = processes.start({ program: 'sleep', args: ['1000'], output });
  await Promise.all([processes.stop(), assert.rejects(starting, /too late/)]);
});

test('a death is told with the code and the end of what was written', async (t) => {
  const { processes, output } = scratch(t);
  const { died } = await processes.start({ program: 'sh', args: ['-c', 'echo no such option >&2; exit 3'], output });
  await assert.rejects(died, /sh exited with 3: no such option/);
});

test('a program that is not there fails to start', async (t) => {
  const { processes, output } = scratch(t);
  await assert.rejects(processes.start({ program: join(output, 'nothing'), args: [], output }), {
    code: /ENOENT|ENOTDIR/,
  });
});

test('only PATH is inherited', async (t) => {
  const { processes, output } = scratch(t);
  const { exited } = await processes.start({ program: 'env', args: [], env: { OWN: '1' }, output });
  await exited;
  const names = readFileSync(output, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  assert.deepEqual(names.sort(), ['OWN', 'PATH']);
});

function scratch(t: TestContext): { readonly processes: Processes; readonly output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'attache-bench-test-'));
  const processes = new Processes();
  t.after(async () => {
    await processes.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { processes, output: join(folder, 'output') };
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

async function written(path: string): Promise<string> {
  for (let tries = 0; tries < 1_000; tries++) {
    const text = readFileSync(path, 'utf8');
    if (text.endsWith('\n')) return text.trim();
    await delay(10);
  }
  throw new Error('nothing was written within 10 s');
}

/** A grandchild is reaped by the system's first process, in its own time. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    try {
      process.kill(pid, 0);
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return;
    } catch {
      return;
    }
    await delay(10);
  }
  throw new Error(`process ${pid} is still there after 10 s`);
}
