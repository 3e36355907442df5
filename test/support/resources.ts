import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** What keeps the event loop alive, by kind. */
export function activeResources(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Waits until nothing keeps the event loop alive that did not before; its own timer apart. */
export async function untilResourcesAre(before: Readonly<Record<string, number>>, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  const kinds = () => {
    const now = activeResources();
    return Object.keys(now).filter((kind) => (now[kind] ?? 0) > (before[kind] ?? 0));
  };
  while (kinds().length > 0) {
    if (performance.now() > deadline) throw new Error(`still there after ${withinMs} ms: ${kinds().join()}`);
    await pause(10);
  }
}

/** Open sockets of this process, referenced or not. Linux only. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}
