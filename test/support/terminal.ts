import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { endWithProcess } from './end-with.ts';
import type { Scope } from './scope.ts';
import { eventually } from './wait.ts';

/** A real terminal (of util-linux's `script`) with a process in it, ended with the test. */
export interface Terminal {
  /** What was on the screen so far. */
  screen(): string;
  /** Types: `\x13` is Ctrl-S, after which nothing is shown, and `\x11` is Ctrl-Q. */
  type(keys: string): void;
  /** The pid of what runs in it; the command has to say it first, as `$$`. */
  pid(): Promise<number>;
  /** The exit code of the command, 128 and more for a signal. */
  readonly exited: Promise<number>;
}

export const CTRL_S = '\u0013';
export const CTRL_Q = '\u0011';

/** @param command for `sh` */
export function startTerminal(t: Scope, command: string, env: Readonly<Record<string, string>> = {}): Terminal {
  // What runs in it ends with `script`, however that ends: a terminal that goes away is a mere SIGHUP.
  const mortal = `exec setpriv --pdeathsig KILL sh -c ${quoted(command)}`;
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('script', ['-qfec', mortal, '/dev/null'], {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  endWithProcess(child);
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 255)));
  let pid: number | undefined;
  t.after(async () => {
    if (pid !== undefined) endAgain(pid);
    child.kill('SIGKILL');
    await exited;
  });
  return {
    screen: () => screen,
    type: (keys) => void child.stdin.write(keys),
    async pid() {
      await eventually(() => /pid:\d+:/.test(screen), 'the pid', 20_000);
      pid = Number(/pid:(\d+):/.exec(screen)?.[1]);
      return pid;
    },
    exited,
  };
}

function endAgain(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** As one word of `sh`. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
