import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** File that stdout and stderr are written to. */
  readonly output: string;
  /** Opens a channel for messages to a Node program. */
  readonly channel?: boolean;
  /** Whose process it is, and of which group; takes root. Its folder is `/`, which everybody can enter. */
  readonly uid?: number | undefined;
}

/** A process that the bench started. */
export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Rejects when it ends, whatever its code; never resolves. For racing against something that needs it alive. */
  readonly died: Promise<never>;
  /** Resolves with its exit code, or undefined when a signal ended it. */
  readonly exited: Promise<number | undefined>;
  /** The end of what it wrote. */
  output(): string;
}

const STOP_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 10;
const SHOWN_OUTPUT = 600;

/**
 * Started processes, ended together. Each leads a process group of its own, which is what is signalled: a proxy that
 * forks goes with its children, and Ctrl-C in a terminal reaches the bench alone, which then ends them in order.
 */
export class Processes {
  readonly #running = new Set<Started>();
  readonly #parts = new Set<Processes>();
  readonly #leftBehind: (() => readonly number[])[] = [];
  readonly #parent: Processes | undefined;
  #over = false;

  constructor(parent?: Processes) {
    this.#parent = parent;
  }

  /** A set of its own, which ends with this one or before. */
  part(): Processes {
    const part = new Processes(this);
    this.#parts.add(part);
    return part;
  }

  /** @throws when the program cannot be started. */
  async start(launch: Launch): Promise<Started> {
    const file = openSync(launch.output, 'a');
    const stdio: StdioOptions = ['ignore', file, file, ...(launch.channel === true ? (['ipc'] as const) : [])];
    try {
      const child = spawn(launch.program, launch.args, {
        detached: true,
        stdio,
        env: { PATH: process.env['PATH'], ...launch.env },
        ...(launch.uid !== undefined && { uid: launch.uid, gid: launch.uid, cwd: '/' }),
      });
      const started = this.#watch(child, await spawned(child), launch);
      // Stopped while this one was being started: nobody would end it.
      if (this.#over) {
        await this.end(started);
        throw new Error('started too late');
      }
      return started;
    } finally {
      closeSync(file);
    }
  }

  /**
   * Ends with these, and after them, what they have started in sessions of their own: by SIGKILL.
   * @param pids tells which of those are there
   */
  endAlso(pids: () => readonly number[]): void {
    this.#leftBehind.push(pids);
  }

  /** Ends all: SIGTERM, and SIGKILL for those that do not heed it. May be called twice. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all([...this.#parts].map((part) => part.stop()));
    await Promise.all([...this.#running].map((one) => this.end(one)));
    const until = performance.now() + STOP_WITHIN_MS;
    let left = this.#killLeftBehind();
    for (; left > 0 && performance.now() < until; left = this.#killLeftBehind()) await delay(LOOK_EVERY_MS);
    // Those that are left are tried again when all ends.
    if (left === 0) this.#parent?.forget(this);
  }

  private forget(part: Processes): void {
    this.#parts.delete(part);
  }

  async end(one: Started): Promise<void> {
    signalGroup(one.pid, 'SIGTERM');
    const cancel = new AbortController();
    const late = delay(STOP_WITHIN_MS, 'late' as const, { signal: cancel.signal }).catch(() => 'over' as const);
    if ((await Promise.race([one.exited, late])) === 'late') signalGroup(one.pid, 'SIGKILL');
    cancel.abort();
    await one.exited;
    // Children of a proxy that forks, when the parent left them behind.
    signalGroup(one.pid, 'SIGKILL');
  }

  /** The last resort, when there is no time to wait: from an `exit` listener. */
  kill(): void {
    for (const part of this.#parts) part.kill();
    for (const { pid } of this.#running) signalGroup(pid, 'SIGKILL');
    this.#killLeftBehind();
  }

  /** @returns how many there were */
  #killLeftBehind(): number {
    const pids = this.#leftBehind.flatMap((find) => find());
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.length;
  }

  #watch(child: ChildProcess, pid: number, { program, output }: Launch): Started {
    const exited = new Promise<number | undefined>((resolve) =>
      child.once('exit', (code) => resolve(code ?? undefined)),
    );
    const tail = () => readFileSync(output, 'utf8').trim().slice(-SHOWN_OUTPUT);
    const died = exited.then((code): never => {
      const how = code === undefined ? 'was ended by a signal' : `exited with ${code}`;
      throw new Error(`${nameOf(program)} ${how}: ${tail()}`);
    });
    died.catch(() => undefined);
    const started: Started = { pid, child, died, exited, output: tail };
    this.#running.add(started);
    void exited.then(() => this.#running.delete(started));
    return started;
  }
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      if (child.pid === undefined) reject(new Error('started without a process id'));
      else resolve(child.pid);
    });
  });
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  signal(-pid, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function nameOf(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1);
}
