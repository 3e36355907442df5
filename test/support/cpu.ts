import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export interface CpuWindow {
  /** Default: this process. */
  readonly pid?: number | undefined;
  /** Longer than the period of what is measured (a retry with its back-off): then each window holds all of it. */
  readonly windowMs: number;
  /** A window that stays below this is enough, 0 to 1. */
  readonly below: number;
}

const WINDOWS = 3;

/**
 * The least share of one core that a process used over a window, 0 to 1, of up to three in a row. CPU time, not wall
 * time: a busy machine does not count.
 *
 * The least, because V8 collects twice, some 8 s after a process has become quiet (its "memory reducer"): 45 ms on an
 * idle machine, twice that where caches are shared, once. What the program does again and again is in every window.
 */
export async function cpuShare({ pid = process.pid, windowMs, below }: CpuWindow): Promise<number> {
  let least = Infinity;
  for (let window = 0; window < WINDOWS && least >= below; window += 1) {
    const from = cpuMs(pid);
    const began = performance.now();
    await pause(windowMs);
    least = Math.min(least, (cpuMs(pid) - from) / (performance.now() - began));
  }
  return least;
}

/**
 * What counts as a small share of a core on this machine at this moment, 0 to 1: 2%, or in each second half of what a bare
 * Node needs to start, whichever is more. A machine that is slow for a while needs more time for the same work.
 */
export function smallShare(): number {
  const script = 'const { user, system } = process.cpuUsage(); console.log(user + system)';
  const starts = Array.from({ length: 3 }, () => Number(spawnSync(process.execPath, ['-e', script]).stdout));
  return Math.max(0.02, (0.5 * Math.min(...starts)) / 1e6);
}

/** Of the times in /proc: `USER_HZ`, the same on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU time, user and system, that all threads of a process have used so far, to the tick of 10 ms. Linux only. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold anything; fields 14 and 15 of the whole are 11 and 12 behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
