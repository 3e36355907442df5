import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithProcess } from './end-with.ts';
import type { Scope } from './scope.ts';
import { engineChoice } from './engine-choice.ts';
import { eventually } from './wait.ts';

/** The folder of package.json, from wherever the tests were built to. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));
export const mainFile = join(projectRoot, 'dist', 'main.js');

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** The real program, as its own process, ended with the test. */
export interface Attache {
  readonly child: ChildProcess;
  /** Log lines so far. */
  readonly lines: readonly LogLine[];
  /** Everything on stderr so far. */
  stderr(): string;
  /** The n-th (from 1) log line that fits, as soon as it is there. */
  line(fits: (line: LogLine) => boolean, n?: number): Promise<LogLine>;
  /** The port that a service's listener got. */
  port(service?: string, listener?: number): Promise<number>;
  /** Exit code or signal. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

export interface AttacheOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** Another build of it than the project's. */
  readonly main?: string;
  /** A command that gets the program's as its arguments; default: none. */
  readonly launcher?: readonly string[];
  /** A file for stderr; default: {@link Attache.stderr} has it. */
  readonly stderrTo?: string;
  /** What the shell's `ulimit` is told before the start, e.g. `-n 128`; default: nothing. */
  readonly ulimit?: string;
  /** A process in whose network namespace it runs; default: the test's own. */
  readonly besides?: number;
}

/** These settings alone: no port of its own, the engine that the tests are run for. */
export function environmentWith(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HTTP_ADDR: 'off',
    ADMIN_ADDR: 'off',
    ENGINE: engineChoice(),
    ...env,
  };
}

/** Starts `attache` with this environment alone (HTTP and admin endpoints off unless set). */
export function startAttache(t: Scope, options: AttacheOptions = {}): Attache {
  const { args = [], env = {}, nodeArgs = [], main = mainFile, stderrTo, ulimit, launcher = [], besides } = options;
  const inside = besides === undefined ? [] : ['nsenter', `--net=/proc/${besides}/ns/net`];
  const command = [...inside, process.execPath, ...nodeArgs, main, ...args];
  const limited = ulimit === undefined ? [] : ['sh', '-c', `ulimit ${ulimit} && exec "$0" "$@"`];
  const [file = '', ...rest] = [...launcher, ...limited, ...command];
  const stderrFile = stderrTo === undefined ? undefined : openSync(stderrTo, 'w');
  const child = spawn(file, rest, {
    env: environmentWith(env),
    stdio: ['ignore', 'pipe', stderrFile ?? 'pipe'],
  });
  if (stderrFile !== undefined) closeSync(stderrFile);
  endWithProcess(child);
  const lines: LogLine[] = [];
  if (child.stdout === null) throw new Error('a pipe was asked for');
  // What a killed process has not finished is no line; as one it would throw where the pipe ends, which then never closes.
  let unfinished = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const texts = `${unfinished}${chunk}`.split('\n');
    unfinished = texts.pop() ?? '';
    for (const text of texts) lines.push(JSON.parse(text) as LogLine);
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // Not its exit: the last lines may come behind that.
  let isOver = false;
  const exited = once(child, 'close').then(([code, signal]) => {
    isOver = true;
    return (code ?? signal) as number | NodeJS.Signals;
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const line: Attache['line'] = async (fits, n = 1) => {
    const found = () => lines.filter(fits)[n - 1];
    await eventually(() => found() !== undefined || isOver, 'the log line', 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)} in: ${stderr}${JSON.stringify(lines)}`);
    });
    const hit = found();
    if (hit === undefined)
      throw new Error(`attache exited (${child.exitCode}) without that line: ${stderr}${JSON.stringify(lines)}`);
    return hit;
  };
  return {
    child,
    lines,
    stderr: () => stderr,
    line,
    async port(service = 'default', listener = 0) {
      const { address } = await line(
        (entry) => entry.msg === 'listening' && entry['service'] === service && entry['listener'] === listener,
      );
      return Number(String(address).split(':').at(-1));
    },
    exited,
  };
}

/** Runs `attache` to its end. */
export async function runAttache(
  t: Scope,
  options: AttacheOptions,
): Promise<{ readonly code: number | NodeJS.Signals; readonly stdout: string; readonly stderr: string }> {
  const { args = [], env = {} } = options;
  const child = spawn(process.execPath, [mainFile, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code: code ?? signal ?? 'SIGKILL', stdout: stdout(), stderr: stderr() };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}
