import { readdirSync, readFileSync } from 'node:fs';

/** How often the figures are read: those of a process that has ended are lost from the last reading on. */
const READING_MS = 50;
/** `USER_HZ` of every Linux that Node runs on: the unit of /proc/stat. */
const TICK_MS = 10;

/** Figures of the kernel that only grow, in ms, each by a name of its own. */
type Figures = ReadonlyMap<string, number>;

/**
 * Measures a time that the product promises, without the time that the machine took: this process or one that it has started
 * was ready to run and waited for a core, the hypervisor ran another machine, or everything waited for a disk or for memory. On
 * a machine that has nothing else to do it is an ordinary stopwatch. All that the product itself takes counts. Linux only.
 *
 * Source: schedstat in the kernel's page on scheduler statistics, `children` and `steal` in proc(5), the kernel's page on
 * pressure stall information.
 */
export class Stopwatch {
  readonly #began = performance.now();
  readonly #losses: readonly Loss[];
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param options.readsOn whether it knows what a process has lost that ends meanwhile; default: it does */
  constructor({ readsOn = true }: { readonly readsOn?: boolean } = {}) {
    this.#losses = [
      new Loss(() => runQueueFigures([process.pid])),
      new Loss(() => runQueueFigures(startedBy(process.pid))),
      new Loss(stealFigures),
      new Loss(() => pressureFigures('io')),
      new Loss(() => pressureFigures('memory')),
    ];
    if (readsOn) this.#timer = setInterval(() => this.lostMs(), READING_MS).unref();
  }

  /** Since the start, without what the machine took, in ms. The figures are not read any more by themselves. */
  ms(): number {
    clearInterval(this.#timer);
    return Math.max(0, this.wallMs() - this.lostMs());
  }

  /** Since the start, all of it, in ms: for a time that must not be too short. */
  wallMs(): number {
    return performance.now() - this.#began;
  }

  /** What the machine took since the start, in ms. */
  lostMs(): number {
    return this.#losses.reduce((sum, loss) => sum + loss.ms(), 0);
  }
}

/** By how much figures have grown: of several threads or cores the one that grew most, since they wait beside each other. */
class Loss {
  readonly #read: () => Figures;
  readonly #from: Figures;
  #most = 0;

  constructor(read: () => Figures) {
    this.#read = read;
    this.#from = read();
  }

  ms(): number {
    for (const [name, now] of this.#read()) this.#most = Math.max(this.#most, now - (this.#from.get(name) ?? 0));
    return this.#most;
  }
}

/** How long each thread of these processes has waited for a core. */
function runQueueFigures(pids: readonly number[]): Figures {
  const threads = pids.flatMap((pid) => namesIn(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`));
  return new Map(threads.map((thread) => [thread, Number(textOf(`${thread}/schedstat`).split(' ')[1] ?? 0) / 1e6]));
}

/** The processes that a process has started, and those that these have started. */
function startedBy(pid: number): readonly number[] {
  const children = namesIn(`/proc/${pid}/task`).flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...startedBy(child)]);
}

/** For how long the hypervisor has run others, for each core. */
function stealFigures(): Figures {
  const cores = textOf('/proc/stat').matchAll(/^(cpu\d+)(?: \d+){7} (\d+)/gm);
  return new Map([...cores].map(([, core = '', ticks]) => [core, Number(ticks) * TICK_MS]));
}

/** For how long no task at all went on because of a resource. A kernel without these figures takes nothing. */
function pressureFigures(resource: 'io' | 'memory'): Figures {
  const [, microseconds = '0'] = /^full .*total=(\d+)/m.exec(textOf(`/proc/pressure/${resource}`)) ?? [];
  return new Map([[resource, Number(microseconds) / 1e3]]);
}

/** A process or thread may have ended. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
