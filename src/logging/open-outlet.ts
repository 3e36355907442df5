import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { descriptorOutlet } from './descriptor-outlet.ts';
import type { Outlet } from './outlet.ts';
import { streamOutlet } from './stream-outlet.ts';

/**
 * The outlet behind standard output (1) or standard error (2). Node writes to pipes and sockets without waiting, but to
 * terminals and files with its event loop: one Ctrl-S, one file system that hangs, and the whole process stands still.
 *
 * A terminal is therefore opened anew without blocking, which leaves alone the descriptor that other programs share. A file
 * cannot be written to without blocking: a thread of Node's pool does it, one write at a time, so that it is one of four that
 * a file system can hold.
 */
export function openOutlet(descriptor: 1 | 2): Outlet {
  const known = opened.get(descriptor);
  if (known !== undefined) return known;
  const outlet = outletOf(descriptor);
  opened.set(descriptor, outlet);
  return outlet;
}

const opened = new Map<number, Outlet>();

function outletOf(descriptor: 1 | 2): Outlet {
  if (isatty(descriptor)) {
    const own = openAnew(descriptor);
    if (own !== undefined) return descriptorOutlet({ descriptor: own, blocks: false, isTerminal: true });
    return descriptorOutlet({ descriptor, blocks: true, isTerminal: true });
  }
  const stats = fstatSync(descriptor);
  if (stats.isFIFO() || stats.isSocket()) return streamOutlet(descriptor === 1 ? process.stdout : process.stderr);
  return descriptorOutlet({ descriptor, blocks: true, isTerminal: false });
}

/** Undefined where that is not allowed (a terminal of another user, after `su`), or where there is no `/proc`. */
function openAnew(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
