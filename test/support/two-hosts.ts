import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { endWithProcess } from './end-with.ts';
import { eventually } from './wait.ts';

const run = promisify(execFile);

/** Two hosts with a cable between them: network namespaces, so that nothing of the machine's own network is touched. */
export interface TwoHosts {
  /** A process on the host at `HERE`. */
  readonly here: number;
  /** Runs a script of Node (CommonJS) on the host at `THERE`; resolves at its first line of output, which it is given. */
  runThere(script: string, env?: Readonly<Record<string, string>>): Promise<string>;
  /** The host at `THERE` dies: not one packet of it comes any more. */
  kill(): Promise<void>;
  /** Sets a variable of the kernel for the host at `HERE`, below /proc/sys. */
  setHere(path: string, value: string): Promise<void>;
}

export const HERE = '10.203.0.1';
export const THERE = '10.203.0.2';

/** Needs root, if only in a user namespace of its own. */
export async function startTwoHosts(t: TestContext): Promise<TwoHosts> {
  const [here, there] = [await holdNamespace(t), await holdNamespace(t)];
  const end = (host: number) => ['netns', `${host}`, 'type', 'veth'];
  await run('ip', ['link', 'add', 'cable', ...end(here), 'peer', 'name', 'cable', ...end(there).slice(0, 2)]);
  for (const [host, address] of [
    [here, HERE],
    [there, THERE],
  ] as const) {
    await on(host, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'cable');
    await on(host, 'ip', 'link', 'set', 'cable', 'up');
    await on(host, 'ip', 'link', 'set', 'lo', 'up');
  }
  return {
    here,
    async runThere(script, env = {}) {
      const child = spawn('nsenter', [...into(there), process.execPath, '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'], ...env },
      });
      endWithProcess(child);
      const exited = once(child, 'close');
      t.after(async () => {
        child.kill('SIGKILL');
        await exited;
      });
      const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
      return String(line);
    },
    async kill() {
      await on(there, 'ip', 'link', 'set', 'cable', 'down');
    },
    async setHere(path, value) {
      await on(here, 'sh', '-c', 'echo "$1" > "/proc/sys/$0"', path, value);
    },
  };
}

/** A process that does nothing but be in a network namespace of its own, which is gone with it, and it with the test. */
async function holdNamespace(t: TestContext): Promise<number> {
  const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  const { pid = 0 } = holder;
  const own = await readlink('/proc/self/ns/net');
  await eventually(async () => (await readlink(`/proc/${pid}/ns/net`)) !== own, 'a network namespace');
  return pid;
}

const into = (host: number) => [`--net=/proc/${host}/ns/net`];

async function on(host: number, ...command: readonly string[]): Promise<void> {
  await run('nsenter', [...into(host), ...command]);
}
