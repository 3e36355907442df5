import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf } from '../../src/core/errors.ts';
import { endWithProcess } from './end-with.ts';
import type { Scope } from './scope.ts';

export interface FaultyProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Whether it serves; asked again and again while it starts. */
  readonly ready: () => Promise<boolean>;
  /** Default 30 s. */
  readonly startTimeoutMs?: number;
  /** Whose process it is, and of which group; takes root. Its folder is `/`, which everybody can enter. */
  readonly uid?: number;
}

/** A real server that fails as servers do, always with the same command line and so on the same ports. */
export interface FaultyProcess {
  /** 0 while there is none. */
  readonly pid: number;
  /** Resolves when it serves. @throws with the end of its output when it ends instead, or takes too long */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open, the kernel still accepts for it, and nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** kill -9, frozen or not; it is gone when this resolves. Without effect on one that is not there. */
  kill(): Promise<void>;
  /** `kill` if it is still there, then `start`. */
  restart(): Promise<void>;
}

/** A process that is yet to be started; it is killed with the test. */
export function faultyProcess(t: Scope, options: FaultyProcessOptions): FaultyProcess {
  const started = new RealProcess(options);
  t.after(() => started.kill());
  return started;
}

const START_TIMEOUT_MS = 30_000;
const OUTPUT_KEPT = 4_000;

class RealProcess implements FaultyProcess {
  readonly #options: FaultyProcessOptions;
  #child: ChildProcess | undefined;

  constructor(options: FaultyProcessOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { command, args, ready, startTimeoutMs = START_TIMEOUT_MS, uid } = this.#options;
    if (this.#child !== undefined) throw new Error(`${command} has been started already`);
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid, cwd: '/' }),
    });
    this.#child = child;
    endWithProcess(child);
    let output = '';
    let end: string | undefined;
    const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_KEPT));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      end = errnoOf(error) === 'ENOENT' ? 'is not installed: run scripts/setup-tests' : error.message;
      this.#forget(child);
    });
    child.once('exit', (code, signal) => {
      end ??= `ended (${code ?? signal ?? 'unknown'})`;
      this.#forget(child);
    });
    await Promise.race([once(child, 'spawn'), once(child, 'error')]).catch(() => undefined);
    const deadline = performance.now() + startTimeoutMs;
    // Asked first whether it is there: another server on its port would answer in its place.
    while (end === undefined) {
      if ((await ready()) && this.#child === child) return;
      if (performance.now() > deadline) throw new Error(`${command} does not serve:\n${output}`);
      await pause(20);
    }
    throw new Error(`${command} ${end}\n${output}`);
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
  }
}
