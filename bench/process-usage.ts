import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface Usage {
  /** User and system time since the start, of all threads and of children that are over. */
  readonly cpuMs: number;
  readonly residentKb: number;
}

/** The unit of /proc/<pid>/stat: USER_HZ, 100 on every architecture that Node runs on. */
const TICK_MS = 10;

/** What these processes and all below them have used so far. One that is gone counts as nothing. */
export function usageOf(pids: readonly number[]): Usage {
  let [cpuMs, residentKb] = [0, 0];
  for (const pid of pids.flatMap(withDescendants)) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === undefined) continue;
    cpuMs += cpuTicks(stat) * TICK_MS;
    residentKb += residentOf(read(`/proc/${pid}/status`) ?? '');
  }
  return { cpuMs, residentKb };
}

/** utime + stime + cutime + cstime: a proxy that forks has its work in children that end. */
export function cpuTicks(stat: string): number {
  // The name in parentheses may hold anything, parentheses and blanks too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
}

/** VmRSS in kB; 0 for a process that is already a zombie. */
export function residentOf(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}

/**
 * What these processes and all below them have for themselves, in kB: their memory that no file is behind. Another process of the
 * same program shares the rest. Source: `Anonymous` of smaps_rollup, proc(5).
 */
export function privateKbOf(pids: readonly number[]): number {
  return pids
    .flatMap(withDescendants)
    .reduce((sum, pid) => sum + anonymousOf(read(`/proc/${pid}/smaps_rollup`) ?? ''), 0);
}

/** In kB; 0 for a process that is already a zombie. */
export function anonymousOf(rollup: string): number {
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
}

/** Processes whose folder is this one or within it, or whose command line names something in it. */
export function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const isThere = `${linkOf(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
      return isThere || (read(`/proc/${pid}/cmdline`) ?? '').includes(`${folder}/`);
    })
    .map(Number);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function withDescendants(pid: number): readonly number[] {
  // Those below first: one that ends while this is read is then counted by its parent, and not lost.
  return [...childrenOf(pid).flatMap(withDescendants), pid];
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
